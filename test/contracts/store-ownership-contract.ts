import { describe, expect, test } from "vitest";
import type { Member } from "../../src/member.ts";
import {
  inboxOf,
  long,
  Owner,
  partitions,
  type StoreFactory,
  short,
  useStore,
  writeOf,
} from "./store-lab.ts";

export function storeOwnershipContract(create: StoreFactory): void {
  const lab = useStore(create);

  async function statusOf(partition: number) {
    return (await lab.store.partitions()).find((status) => status.partition === partition);
  }

  async function living(member: Member, ttlMs: number): Promise<readonly Member[]> {
    return (await lab.store.announce(member, ttlMs)).members;
  }

  describe("opening", () => {
    test("shows every partition, new and without an owner", async () => {
      expect(await lab.store.partitions()).toEqual(
        Array.from({ length: partitions }, (_, partition) => ({
          partition,
          epoch: 0,
          owner: undefined,
          leaseUntil: expect.any(Number),
          outboxEntries: 0,
          timers: 0,
          nextDue: undefined,
          deadLetters: 0,
        })),
      );
    });

    test("refuses another number of partitions than the data was made with", async () => {
      const refusal = { code: "partition-count", retryable: false };
      await expect(lab.connect().open({ partitions: 8 })).rejects.toMatchObject(refusal);
    });

    test("finds everything again after it was closed, and closing twice does no harm", async () => {
      const owner = await Owner.of(lab.store);
      const inbox = [{ id: "m" }];
      await owner.write(writeOf("order/1", { inbox, termsAdded: ["t"], history: ["h"] }));
      await owner.commit({
        outboxAdded: [{ seq: 7, entry: "out" }],
        timersArmed: [{ id: "t", due: 5 }],
        deadLettersAdded: [{ id: "d", entry: "dead" }],
      });
      await lab.store.close();
      await lab.reopen();
      const [instance] = await lab.store.load(1, ["order/1"]);
      expect(instance).toMatchObject({ version: 1, record: writeOf("order/1").record });
      expect(await inboxOf(lab.store, 1, "order/1")).toMatchObject(inbox);
      expect(await lab.store.count("order")).toEqual({ t: 1 });
      expect(await lab.store.history(1, "order/1", 0, 9)).toEqual([{ number: 1, entry: "h" }]);
      expect(await lab.store.outbox(1, 0, 9)).toEqual([{ seq: 7, entry: "out" }]);
      expect((await lab.store.due(1, 9)).rows).toEqual([{ id: "t", due: 5 }]);
      expect((await lab.store.deadLetters({ limit: 9 })).items).toMatchObject([{ id: "d" }]);
      expect(await lab.store.claim(1, "owner", long)).toMatchObject({ epoch: 2, lastSeq: 7 });
    });

    test("says how durable it is, and what its clock shows", async () => {
      expect(["replicated", "fsync", "second", "memory"]).toContain(lab.store.durability());
      const before = await lab.store.now();
      await lab.advance(5);
      expect(await lab.store.now()).toBeGreaterThanOrEqual(before + 5);
    });
  });

  describe("members", () => {
    test("are all that announced themselves, with their workflows, as long as they live", async () => {
      const one = { id: "one", workflows: ["order@1", "order@2"] };
      const two = { id: "two", workflows: [] };
      expect(await living(one, long)).toEqual([one]);
      expect(await living(two, short)).toEqual([one, two]);
      const changed = { ...one, workflows: ["order@3"] };
      expect(await living(changed, long)).toEqual([changed, two]);
      await lab.advance(short + 5);
      expect(await living(one, long)).toEqual([one]);
    });

    test("learn until when they count as alive, and until when they did before", async () => {
      const one = { id: "one", workflows: [] };
      const earliest = await lab.store.now();
      const first = await lab.store.announce(one, long);
      expect(first.before).toBe(0);
      expect(first.until).toBeGreaterThanOrEqual(earliest + long);
      await lab.advance(5);
      const second = await lab.store.announce(one, short);
      expect(second.before).toBe(first.until);
      expect(second.until).toBeLessThan(first.until);
      await lab.store.leave("one");
      expect(await lab.store.announce(one, short)).toMatchObject({ before: 0 });
    });

    test("leave at once", async () => {
      const one = { id: "one", workflows: ["order@1"] };
      await lab.store.announce({ id: "two", workflows: [] }, long);
      await lab.store.leave("two");
      await lab.store.leave("never was there");
      expect(await living(one, long)).toEqual([one]);
    });
  });

  describe("claiming", () => {
    test("takes a free partition under the next epoch", async () => {
      const before = await lab.store.now();
      const claim = await lab.store.claim(2, "me", long);
      expect(claim).toMatchObject({ epoch: 1, lastSeq: 0 });
      expect(claim?.now).toBeGreaterThanOrEqual(before);
      const status = await statusOf(2);
      expect(status).toMatchObject({ epoch: 1, owner: "me" });
      expect(status?.leaseUntil).toBe((claim?.now ?? 0) + long);
      expect(await statusOf(3)).toMatchObject({ epoch: 0, owner: undefined });
    });

    test("is refused while another holds the lease", async () => {
      await lab.store.claim(2, "me", long);
      expect(await lab.store.claim(2, "you", long)).toBeUndefined();
      expect(await statusOf(2)).toMatchObject({ epoch: 1, owner: "me" });
    });

    test("takes one's own partition again under the next epoch", async () => {
      await lab.store.claim(2, "me", long);
      expect(await lab.store.claim(2, "me", long)).toMatchObject({ epoch: 2 });
    });

    test("takes a partition whose lease is over", async () => {
      await lab.store.claim(2, "me", short);
      await lab.advance(short + 5);
      expect(await statusOf(2)).toMatchObject({ epoch: 1, owner: undefined });
      expect(await lab.store.claim(2, "you", long)).toMatchObject({ epoch: 2 });
      expect(await statusOf(2)).toMatchObject({ owner: "you" });
    });

    test("is won by one of several that try at once", async () => {
      const names = ["a", "b", "c", "d"];
      const claims = await Promise.all(names.map((name) => lab.store.claim(2, name, long)));
      expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1);
    });

    test("tells the highest outbox seq ever used, though it was settled", async () => {
      const owner = await Owner.of(lab.store, 2);
      const outboxAdded = [3, 9, 4].map((seq) => ({ seq, entry: "out" }));
      await owner.commit({ outboxAdded });
      await owner.commit({ outboxSettled: [9, 4, 3], outboxAdded: [{ seq: 5, entry: "out" }] });
      expect(await lab.store.claim(2, "owner", long)).toMatchObject({ lastSeq: 9 });
    });
  });

  describe("a lease", () => {
    test("lives on when it is renewed", async () => {
      await lab.store.claim(2, "me", short);
      const renewed = await lab.store.renew(2, 1, long);
      await lab.advance(short + 5);
      expect(await statusOf(2)).toMatchObject({ owner: "me" });
      expect((await statusOf(2))?.leaseUntil).toBe(renewed.now + long);
      expect(await lab.store.claim(2, "you", long)).toBeUndefined();
    });

    test("can be renewed after it ran out, as long as nobody else has claimed", async () => {
      await lab.store.claim(2, "me", short);
      await lab.advance(short + 5);
      expect(await lab.store.renew(2, 1, long)).toMatchObject({ epoch: 1 });
      expect(await lab.store.claim(2, "you", long)).toBeUndefined();
    });

    test("cannot be renewed under an epoch that is not the present one", async () => {
      await lab.store.claim(2, "me", short);
      await lab.advance(short + 5);
      await lab.store.claim(2, "you", short);
      for (const epoch of [1, 3]) {
        expect(await lab.store.renew(2, epoch, long)).toMatchObject({ epoch: 2 });
      }
      await lab.advance(short + 5);
      expect(await lab.store.claim(2, "third", long)).toMatchObject({ epoch: 3 });
    });

    test("ends at once when it is released", async () => {
      await lab.store.claim(2, "me", long);
      await lab.store.release(2, 1);
      expect(await statusOf(2)).toMatchObject({ epoch: 1, owner: undefined });
      expect(await lab.store.claim(2, "you", long)).toMatchObject({ epoch: 2 });
    });

    test("is not released under another epoch", async () => {
      await lab.store.claim(2, "me", long);
      await lab.store.claim(2, "me", long);
      await lab.store.release(2, 1);
      await lab.store.release(2, 3);
      expect(await statusOf(2)).toMatchObject({ epoch: 2, owner: "me" });
    });
  });
}
