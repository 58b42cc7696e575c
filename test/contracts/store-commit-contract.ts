import { beforeEach, describe, expect, test } from "vitest";
import type { Commit } from "../../src/commit.ts";
import {
  dumpOf,
  Owner,
  type StoreFactory,
  useOwner,
  useStore,
  window,
  writeOf,
} from "./store-lab.ts";

export function storeCommitContract(create: StoreFactory): void {
  const lab = useStore(create);
  const owner = useOwner(lab);

  describe("a commit", () => {
    test("answers with the store's clock and the number of the partition's commits", async () => {
      const before = await lab.store.now();
      const first = await owner.commit({ instances: [writeOf("order/1")] });
      const second = await owner.commit({});
      const other = await (await Owner.of(lab.store, 2)).commit({});
      expect(first).toEqual({ kind: "committed", now: expect.any(Number), sequence: 1 });
      expect(first.kind === "committed" && first.now).toBeGreaterThanOrEqual(before);
      expect(second).toMatchObject({ kind: "committed", sequence: 2 });
      expect(other).toMatchObject({ kind: "committed", sequence: 1 });
    });

    test("writes under every epoch from the claim on, whether or not the lease has run out", async () => {
      await lab.store.release(owner.partition, owner.epoch);
      expect(await owner.commit({})).toMatchObject({ kind: "committed" });
    });

    test("is not hindered by what other partitions do at the same time", async () => {
      const owners = await Promise.all(
        [0, 2, 3].map((partition) => Owner.of(lab.store, partition)),
      );
      const commits = [owner, ...owners].flatMap((each) =>
        ["order/1", "order/2"].map((key) => each.commit({ instances: [writeOf(key)] })),
      );
      const kinds = (await Promise.all(commits)).map(({ kind }) => kind);
      expect(kinds).toEqual(commits.map(() => "committed"));
      expect((await lab.store.load(3, ["order/2"]))[0]).toMatchObject({ version: 1 });
    });

    test("lets one of two for the same version win", async () => {
      const both = [1, 2].map(() => owner.commit({ instances: [writeOf("order/1")] }));
      const kinds = (await Promise.all(both)).map(({ kind }) => kind);
      expect(kinds.toSorted()).toEqual(["committed", "conflict"]);
    });
  });

  describe("a repeated commit", () => {
    test("gets the first answer and writes nothing again", async () => {
      const write = writeOf("order/1", { inbox: [{ id: "m" }], history: ["h"] });
      const commit = owner.commitOf({ instances: [write] });
      const first = await lab.store.commit(commit);
      await lab.advance(5);
      const before = await dumpOf(lab.store, ["order/1"]);
      expect(await lab.store.commit(commit)).toEqual(first);
      expect(await dumpOf(lab.store, ["order/1"])).toEqual(before);
    });

    test("gets the first answer even when its owner has been replaced since", async () => {
      const commit = owner.commitOf({ instances: [writeOf("order/1")] });
      const first = await lab.store.commit(commit);
      await owner.claim();
      expect(await lab.store.commit(commit)).toEqual(first);
    });

    test("is recognised after the store was opened anew", async () => {
      const commit = owner.commitOf({ instances: [writeOf("order/1")] });
      const first = await lab.store.commit(commit);
      await lab.reopen();
      expect(await lab.store.commit(commit)).toEqual(first);
    });

    test("is judged anew when it was refused before", async () => {
      const commit = owner.commitOf({ instances: [writeOf("order/1", { expectedVersion: 1 })] });
      expect(await lab.store.commit(commit)).toMatchObject({ kind: "conflict" });
      await owner.write(writeOf("order/1"));
      expect(await lab.store.commit(commit)).toMatchObject({ kind: "committed" });
    });

    test("is known by its partition's last commit id only", async () => {
      const commit = owner.commitOf({ instances: [writeOf("order/1")] });
      await lab.store.commit(commit);
      const elsewhere = await Owner.of(lab.store, 2);
      const same = { ...elsewhere.commitOf({}), commitId: commit.commitId };
      expect(await lab.store.commit(same)).toMatchObject({ kind: "committed", sequence: 1 });
      await owner.commit({});
      expect(await lab.store.commit(commit)).toMatchObject({ kind: "conflict" });
    });
  });

  describe("a refusal", () => {
    const keys = ["order/1", "order/2", "order/3"];

    beforeEach(async () => {
      const inbox = [{ id: "known" }];
      await owner.write(
        writeOf("order/1", { inbox, termsAdded: ["a"], history: ["h"] }),
        writeOf("order/2", { termsAdded: ["a", "b"] }),
      );
      await owner.commit({
        outboxAdded: [{ seq: 1, entry: "out" }],
        timersArmed: [{ id: "timer", due: 1 }],
        deadLettersAdded: [{ id: "dead", entry: "letter" }],
      });
    });

    /** A commit that would touch everything there is. */
    function busyCommit(changes: Partial<Commit>): Commit {
      return owner.commitOf({
        outboxAdded: [{ seq: 2, entry: "out" }],
        outboxSettled: [1],
        timersArmed: [{ id: "other", due: 1 }],
        timersDisarmed: ["timer"],
        deadLettersAdded: [{ id: "more", entry: "letter" }],
        deadLettersRemoved: ["dead"],
        ...changes,
      });
    }

    const good = writeOf("order/3", { termsAdded: ["a"], history: ["h"], inbox: [{ id: "new" }] });
    const removal = writeOf("order/2", { expectedVersion: 1, record: undefined });

    test("for another epoch says fenced with the present one", async () => {
      for (const epoch of [owner.epoch - 1, owner.epoch + 1]) {
        const commit = busyCommit({ epoch, instances: [good] });
        expect(await lab.store.commit(commit)).toMatchObject({
          kind: "fenced",
          epoch: owner.epoch,
        });
      }
    });

    test("for other versions lists every key that has another one", async () => {
      const instances = [
        writeOf("order/1", { expectedVersion: 2 }),
        good,
        writeOf("order/2", { expectedVersion: 0 }),
        writeOf("order/none", { expectedVersion: 1 }),
      ];
      const answer = await lab.store.commit(busyCommit({ instances }));
      expect(answer).toEqual({ kind: "conflict", keys: ["order/1", "order/2", "order/none"] });
    });

    test("for handled messages lists each of them, and those that stand twice in the commit", async () => {
      const twice = [{ id: "x" }, { id: "y" }, { id: "x" }];
      const instances = [
        writeOf("order/1", { expectedVersion: 1, inbox: [{ id: "fresh" }, { id: "known" }] }),
        writeOf("order/3", { inbox: [...twice, { id: "known" }] }),
      ];
      const answer = await lab.store.commit(busyCommit({ instances }));
      const messages = [
        { key: "order/1", id: "known" },
        { key: "order/3", id: "x" },
      ];
      expect(answer).toEqual({ kind: "duplicate", messages });
    });

    test("for messages above the age says too old and lists each of them", async () => {
      const now = await lab.store.now();
      const inbox = [
        { id: "old", bornAt: now - window - 1_000 },
        { id: "young", bornAt: now - window + 30_000 },
        { id: "unborn" },
        { id: "ancient", bornAt: 0 },
      ];
      const answer = await lab.store.commit(
        busyCommit({ instances: [writeOf("order/3", { inbox })] }),
      );
      const messages = ["old", "ancient"].map((id) => ({ key: "order/3", id }));
      expect(answer).toEqual({ kind: "too-old", messages });
    });

    test("is for the epoch, then the versions, then the inbox, then the age", async () => {
      const bad = writeOf("order/1", { inbox: [{ id: "known" }, { id: "old", bornAt: 0 }] });
      const kindOf = async (changes: Partial<Commit>): Promise<string> =>
        (await lab.store.commit(busyCommit(changes))).kind;
      const right = { ...bad, expectedVersion: 1, version: 2 };
      const fresh = { ...right, inbox: right.inbox.slice(1) };
      expect(await kindOf({ epoch: 0, instances: [bad] })).toBe("fenced");
      expect(await kindOf({ instances: [bad] })).toBe("conflict");
      expect(await kindOf({ instances: [right] })).toBe("duplicate");
      expect(await kindOf({ instances: [fresh] })).toBe("too-old");
    });

    test.each([
      ["fenced", { epoch: 99 }],
      ["conflict", { instances: [good, removal, writeOf("order/1")] }],
      [
        "duplicate",
        {
          instances: [
            good,
            removal,
            writeOf("order/1", { expectedVersion: 1, inbox: [{ id: "known" }], history: ["h2"] }),
          ],
        },
      ],
      [
        "too-old",
        {
          instances: [
            good,
            removal,
            writeOf("order/1", { expectedVersion: 1, inbox: [{ id: "m", bornAt: 0 }] }),
          ],
        },
      ],
    ] as const)("that says %s leaves all as it was", async (kind, changes) => {
      const before = await dumpOf(lab.store, keys);
      expect(await lab.store.commit(busyCommit(changes))).toMatchObject({ kind });
      expect(await dumpOf(lab.store, keys)).toEqual(before);
      expect(await owner.commit({})).toMatchObject({ sequence: 3 });
      expect(await lab.store.claim(1, "owner", 60_000)).toMatchObject({ lastSeq: 1 });
    });
  });
}
