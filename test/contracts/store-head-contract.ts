import { describe, expect, test } from "vitest";
import {
  dumpOf,
  long,
  type StoreFactory,
  short,
  useOwner,
  useStore,
  writeOf,
} from "./store-lab.ts";

/** What an owner tells by that the store does not stand where he left it. */
export function storeHeadContract(create: StoreFactory): void {
  const lab = useStore(create);
  const owner = useOwner(lab);

  describe("where the commits of a partition stand", () => {
    test("is nowhere before its first claim and commit", async () => {
      const head = { epoch: 0, sequence: 0, commitId: "", base: 0 };
      expect(await lab.store.claim(2, "me", long)).toMatchObject({ epoch: 1, head });
      expect(await lab.store.renew(2, 1, long)).toMatchObject({ ...head, epoch: 1 });
      expect(await lab.store.renew(3, 1, long)).toMatchObject(head);
    });

    test("is what a claim has found: the epoch before it, and how far that came from where", async () => {
      await owner.commit({ commitId: "one" });
      await owner.commit({ commitId: "two" });
      const second = await lab.store.claim(1, "owner", long);
      expect(second?.head).toEqual({ epoch: 1, sequence: 2, commitId: "two", base: 0 });
      owner.epoch = 2;
      await owner.commit({ commitId: "three" });
      const third = await lab.store.claim(1, "owner", long);
      expect(third?.head).toEqual({ epoch: 2, sequence: 3, commitId: "three", base: 2 });
    });

    test("is found again after the store was opened anew", async () => {
      await owner.commit({ commitId: "one" });
      await owner.claim();
      await lab.reopen();
      const head = { epoch: 2, sequence: 1, commitId: "one", base: 1 };
      expect(await lab.store.renew(1, 2, long)).toMatchObject(head);
    });

    test("is told at each renewal, also at one that is of no effect", async () => {
      await owner.commit({ commitId: "one" });
      const head = { epoch: 1, sequence: 1, commitId: "one", base: 0 };
      for (const epoch of [0, 1, 2]) {
        const renewed = await lab.store.renew(1, epoch, long);
        expect(renewed).toEqual({ ...head, now: expect.any(Number) });
      }
    });

    test("is told from the lowest of the claims since, to whoever names an epoch of before", async () => {
      await owner.commit({ commitId: "one" });
      await owner.claim();
      await owner.commit({ commitId: "two" });
      await owner.claim();
      const head = { epoch: 3, sequence: 2, commitId: "two" };
      // Whoever has had no epoch names 0.
      for (const [epoch, base] of [2, 1, 2, 2].entries()) {
        expect(await lab.store.renew(1, epoch, long)).toMatchObject({ ...head, base });
      }
      const claim = await lab.store.claim(1, "owner", long, 1);
      expect(claim?.head).toEqual({ ...head, base: 1 });
    });

    test("is told from the claims of late, however many there were", async () => {
      for (let count = 0; count < 40; count += 1) {
        await owner.commit({ commitId: `commit-${count}` });
        await owner.claim();
      }
      expect(await lab.store.renew(1, 38, long)).toMatchObject({ epoch: 41, base: 38 });
      expect(await lab.store.renew(1, 1, long)).toMatchObject({ epoch: 41, base: 25 });
    });

    test("is told to a commit of another epoch", async () => {
      await owner.commit({ commitId: "one" });
      await owner.claim();
      await owner.commit({ commitId: "two" });
      const head = { epoch: 2, sequence: 2, commitId: "two", base: 1 };
      for (const epoch of [1, 3]) {
        expect(await owner.commit({ epoch })).toEqual({ kind: "fenced", ...head });
      }
    });
  });

  describe("a claim above an epoch", () => {
    test("takes the next epoch after it", async () => {
      expect(await lab.store.claim(1, "owner", long, 41)).toMatchObject({ epoch: 42 });
      expect(await lab.store.renew(1, 42, long)).toMatchObject({ epoch: 42 });
    });

    test("takes the next epoch all the same when that is higher", async () => {
      await lab.store.claim(1, "owner", long, 9);
      expect(await lab.store.claim(1, "owner", long, 3)).toMatchObject({ epoch: 11 });
    });

    test("takes nothing from another owner", async () => {
      await lab.store.claim(2, "me", short);
      expect(await lab.store.claim(2, "you", long, 9)).toBeUndefined();
      expect(await lab.store.renew(2, 1, long)).toMatchObject({ epoch: 1 });
    });
  });

  describe("a commit that follows another one", () => {
    test("is written when that is the partition's last one", async () => {
      expect(await owner.commit({ commitId: "one", follows: "" })).toMatchObject({ sequence: 1 });
      const second = await owner.commit({ commitId: "two", follows: "one" });
      expect(second).toMatchObject({ kind: "committed", sequence: 2 });
      await owner.claim();
      const third = await owner.commit({ follows: "two" });
      expect(third).toMatchObject({ kind: "committed", sequence: 3 });
    });

    test("says diverged when that is not the last one, and leaves all as it was", async () => {
      await owner.commit({ commitId: "one", instances: [writeOf("order/1")] });
      await owner.commit({ commitId: "two", outboxAdded: [{ seq: 1, entry: "out" }] });
      const before = await dumpOf(lab.store, ["order/1", "order/2"]);
      for (const follows of ["one", "", "never was"]) {
        const instances = [writeOf("order/2", { history: ["h"], inbox: [{ id: "m" }] })];
        const outboxSettled = [1];
        const answer = await owner.commit({ follows, instances, outboxSettled });
        const head = { epoch: 1, sequence: 2, commitId: "two", base: 0 };
        expect(answer).toEqual({ kind: "diverged", ...head });
      }
      // One that only takes away is judged alike.
      const settling = await owner.commit({ follows: "one", outboxSettled: [1] });
      expect(settling).toMatchObject({ kind: "diverged" });
      expect(await dumpOf(lab.store, ["order/1", "order/2"])).toEqual(before);
    });

    test("lets one of two that follow the same one win", async () => {
      const both = ["one", "two"].map((commitId) => owner.commit({ commitId, follows: "" }));
      const kinds = (await Promise.all(both)).map(({ kind }) => kind);
      expect(kinds.toSorted()).toEqual(["committed", "diverged"]);
    });

    test("gets its first answer when it is repeated", async () => {
      const commit = owner.commitOf({ commitId: "one", follows: "" });
      const first = await lab.store.commit(commit);
      expect(await lab.store.commit(commit)).toEqual(first);
    });

    test("is judged after the epoch and before the versions", async () => {
      await owner.commit({ commitId: "one" });
      const wrong = { follows: "none", instances: [writeOf("order/1", { expectedVersion: 7 })] };
      expect(await owner.commit({ ...wrong, epoch: 9 })).toMatchObject({ kind: "fenced" });
      expect(await owner.commit(wrong)).toMatchObject({ kind: "diverged" });
      expect(await owner.commit({ ...wrong, follows: "one" })).toMatchObject({ kind: "conflict" });
    });
  });
}
