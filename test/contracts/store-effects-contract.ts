import { describe, expect, test } from "vitest";
import { Owner, type StoreFactory, useOwner, useStore, writeOf } from "./store-lab.ts";

export function storeEffectsContract(create: StoreFactory): void {
  const lab = useStore(create);
  const owner = useOwner(lab);

  async function dueIds(limit = 100): Promise<readonly string[]> {
    return (await lab.store.due(1, limit)).rows.map(({ id }) => id);
  }

  describe("an instance", () => {
    test("keeps its record to the letter, its version and its times", async () => {
      const record =
        '{"n":9007199254740993,"empty":[],"text":"\\u0000 Grüße 运单 \u{1F69A}"} not JSON';
      const first = await owner.commit({ instances: [writeOf("order/1", { record })] });
      const at = first.kind === "committed" ? first.now : Number.NaN;
      const stored = { key: "order/1", version: 1, record, createdAt: at, updatedAt: at };
      expect(await lab.store.load(1, ["order/1"])).toEqual([stored]);
      await lab.advance(5);
      const next = writeOf("order/1", { expectedVersion: 1, version: 7, record: "later" });
      const second = await owner.commit({ instances: [next] });
      const updatedAt = second.kind === "committed" ? second.now : Number.NaN;
      const later = { ...stored, version: 7, record: "later", updatedAt };
      expect(await lab.store.load(1, ["order/1"])).toEqual([later]);
      expect(updatedAt).toBeGreaterThan(at);
    });

    test("may be written without a new version", async () => {
      await owner.write(writeOf("order/1"));
      await owner.write(writeOf("order/1", { expectedVersion: 1, version: 1, record: "touched" }));
      expect(await lab.store.load(1, ["order/1"])).toMatchObject([
        { version: 1, record: "touched" },
      ]);
    });

    test("is loaded in the order of the keys, and undefined where there is none", async () => {
      await owner.write(writeOf("order/1"), writeOf("order/2"));
      const keys = ["order/2", "order/none", "order/1", "order/2"];
      const loaded = await lab.store.load(1, keys);
      expect(loaded.map((instance) => instance?.key)).toEqual([
        "order/2",
        undefined,
        "order/1",
        "order/2",
      ]);
      expect(await lab.store.load(2, ["order/1"])).toEqual([undefined]);
      expect(await lab.store.load(1, [])).toEqual([]);
    });

    test("goes with its inbox, its terms and its history when it is removed", async () => {
      const inbox = [{ id: "m" }];
      await owner.write(writeOf("order/1", { inbox, termsAdded: ["a"], history: ["one"] }));
      const removal = { expectedVersion: 1, record: undefined, history: ["two"] };
      await owner.write(writeOf("order/1", removal));
      expect(await lab.store.load(1, ["order/1"])).toEqual([undefined]);
      expect(await owner.inboxIds("order/1")).toEqual([]);
      expect(await lab.store.count("order")).toEqual({});
      expect((await lab.store.list({ workflow: "order", terms: ["a"], limit: 9 })).items).toEqual(
        [],
      );
      await lab.advance(5);
      await owner.write(writeOf("order/1", { inbox, history: ["three"] }));
      expect(await owner.historyOf("order/1")).toEqual(["three"]);
      const [again] = await lab.store.load(1, ["order/1"]);
      expect(again).toMatchObject({ version: 1, createdAt: again?.updatedAt });
    });
  });

  describe("a history", () => {
    test("numbers its entries from 1 on and gives them in order, from any number", async () => {
      await owner.write(writeOf("order/1", { history: ["a", "b"] }), writeOf("order/2"));
      await owner.write(writeOf("order/1", { expectedVersion: 1, history: ["c"] }));
      expect(await lab.store.history(1, "order/1", 0, 2)).toEqual([
        { number: 1, entry: "a" },
        { number: 2, entry: "b" },
      ]);
      expect(await lab.store.history(1, "order/1", 2, 9)).toEqual([{ number: 3, entry: "c" }]);
      expect(await lab.store.history(1, "order/1", 3, 9)).toEqual([]);
      expect(await lab.store.history(1, "order/2", 0, 9)).toEqual([]);
    });
  });

  describe("an outbox", () => {
    test("has one entry of a seq, the last one that was added", async () => {
      await owner.commit({ outboxAdded: [1, 2, 3].map((seq) => ({ seq, entry: `out ${seq}` })) });
      await owner.commit({ outboxAdded: [{ seq: 2, entry: "another" }] });
      expect(await lab.store.outbox(1, 0, 9)).toEqual([
        { seq: 1, entry: "out 1" },
        { seq: 2, entry: "another" },
        { seq: 3, entry: "out 3" },
      ]);
      expect(await lab.store.claim(1, "owner", 60_000)).toMatchObject({ lastSeq: 3 });
      await owner.claim();
      await owner.commit({ outboxSettled: [2] });
      expect((await lab.store.outbox(1, 0, 9)).map(({ seq }) => seq)).toEqual([1, 3]);
    });

    test("gives what is not settled in the order of seq, from any seq, to a limit", async () => {
      const outboxAdded = [1, 2, 3, 10, 20].map((seq) => ({ seq, entry: `out ${seq}` }));
      await owner.commit({ outboxAdded });
      await owner.commit({ outboxSettled: [2, 99] });
      const seqs = async (after: number, limit: number): Promise<number[]> =>
        (await lab.store.outbox(1, after, limit)).map(({ seq }) => seq);
      expect(await seqs(0, 9)).toEqual([1, 3, 10, 20]);
      expect(await seqs(3, 9)).toEqual([10, 20]);
      expect(await seqs(0, 2)).toEqual([1, 3]);
      expect(await lab.store.outbox(1, 10, 1)).toEqual([{ seq: 20, entry: "out 20" }]);
      expect(await lab.store.outbox(2, 0, 9)).toEqual([]);
      expect((await lab.store.partitions())[1]).toMatchObject({ outboxEntries: 4 });
    });
  });

  describe("timers", () => {
    test("come when they are due, by due time and then by id, and tell when the next is", async () => {
      const now = await lab.store.now();
      const timersArmed = [
        { id: "c", due: now - 10 },
        { id: "later", due: now + 60_000 },
        { id: "b", due: now - 10 },
        { id: "z", due: now - 20 },
        { id: "last", due: now + 90_000 },
      ];
      await owner.commit({ timersArmed });
      const all = await lab.store.due(1, 100);
      expect(all.rows.map(({ id }) => id)).toEqual(["z", "b", "c"]);
      expect(all.rows[0]).toEqual({ id: "z", due: now - 20 });
      expect(all.nextDue).toBe(now + 60_000);
      expect(all.now).toBeGreaterThanOrEqual(now);
      const two = await lab.store.due(1, 2);
      expect(two.rows.map(({ id }) => id)).toEqual(["z", "b"]);
      expect(two.nextDue).toBe(now - 10);
      expect((await lab.store.due(1, 0)).rows).toEqual([]);
      expect((await lab.store.partitions())[1]).toMatchObject({ timers: 5, nextDue: now - 20 });
    });

    test("tell of no next one when there is none", async () => {
      expect(await lab.store.due(1, 9)).toEqual({ now: expect.any(Number), rows: [] });
      await owner.commit({ timersArmed: [{ id: "a", due: 1 }] });
      const { rows, nextDue } = await lab.store.due(1, 1);
      expect(rows).toHaveLength(1);
      expect(nextDue).toBeUndefined();
    });

    test("are never early", async () => {
      const due = (await lab.store.now()) + 60;
      await owner.commit({ timersArmed: [{ id: "a", due }] });
      const early = await lab.store.due(1, 9);
      expect(early).toMatchObject({ rows: [], nextDue: due });
      expect(early.now).toBeLessThan(due);
      await lab.advance(60);
      expect(await dueIds()).toEqual(["a"]);
    });

    test("are removed before others are armed, and unknown ones do no harm", async () => {
      await owner.commit({ timersArmed: ["a", "b"].map((id) => ({ id, due: 1 })) });
      const timersArmed = [{ id: "a", due: 2 }];
      await owner.commit({ timersDisarmed: ["a", "b", "unknown"], timersArmed });
      expect((await lab.store.due(1, 9)).rows).toEqual(timersArmed);
      await owner.commit({ timersArmed: [{ id: "a", due: 3 }] });
      expect((await lab.store.due(1, 9)).rows).toEqual([{ id: "a", due: 3 }]);
    });

    test("are postponed from now on by the store's clock", async () => {
      await owner.commit({ timersArmed: [{ id: "a", due: 1 }] });
      const before = await lab.store.now();
      expect(await lab.store.postpone(1, "a", 60_000)).toBe(true);
      const { rows, nextDue, now } = await lab.store.due(1, 9);
      expect(rows).toEqual([]);
      expect(nextDue).toBeGreaterThanOrEqual(before + 60_000);
      expect(nextDue).toBeLessThanOrEqual(now + 60_000);
    });

    test("that are not armed are not postponed", async () => {
      await owner.commit({ timersArmed: [{ id: "a", due: 1 }] });
      await owner.commit({ timersDisarmed: ["a"] });
      expect(await lab.store.postpone(1, "a", 0)).toBe(false);
      await owner.commit({ timersArmed: [{ id: "b", due: 1 }] });
      expect(await lab.store.postpone(0, "b", 60_000)).toBe(false);
      expect(await lab.store.postpone(2, "b", 60_000)).toBe(false);
      expect(await dueIds()).toEqual(["b"]);
    });
  });

  describe("dead letters", () => {
    test("of all partitions are listed oldest first with place and time", async () => {
      const other = await Owner.of(lab.store, 3);
      await other.commit({ deadLettersAdded: [{ id: "x", entry: "first" }] });
      await lab.advance(5);
      await owner.commit({ deadLettersAdded: [{ id: "x", entry: "second" }] });
      await lab.advance(5);
      await other.commit({ deadLettersAdded: [{ id: "a", entry: "third" }] });
      const { items, nextCursor } = await lab.store.deadLetters({ limit: 9 });
      expect(items).toMatchObject([
        { id: "x", entry: "first", partition: 3 },
        { id: "x", entry: "second", partition: 1 },
        { id: "a", entry: "third", partition: 3 },
      ]);
      const times = items.map(({ at }) => at);
      expect(times).toEqual(times.toSorted((one, another) => one - another));
      expect(times.at(-1)).toBeLessThanOrEqual(await lab.store.now());
      expect(nextCursor).toBeUndefined();
      expect((await lab.store.partitions())[3]).toMatchObject({ deadLetters: 2 });
    });

    test("keep the first entry of an id until they are removed", async () => {
      await owner.commit({ deadLettersAdded: [{ id: "x", entry: "first" }] });
      await owner.commit({ deadLettersAdded: [{ id: "x", entry: "second" }] });
      expect((await lab.store.deadLetters({ limit: 9 })).items).toMatchObject([{ entry: "first" }]);
      await owner.commit({ deadLettersRemoved: ["x", "unknown"] });
      expect((await lab.store.deadLetters({ limit: 9 })).items).toEqual([]);
    });

    test("are found by their ids in their partition, in the order asked for", async () => {
      const rows = ["x", "y"].map((id) => ({ id, entry: `entry of ${id}` }));
      await owner.commit({ deadLettersAdded: rows });
      const found = await lab.store.loadDeadLetters(1, ["y", "unknown", "x"]);
      expect(found).toEqual([rows[1], rows[0]]);
      expect(await lab.store.loadDeadLetters(3, ["x"])).toEqual([]);
      expect(await lab.store.loadDeadLetters(1, [])).toEqual([]);
    });

    test("are paged without gap or repeat", async () => {
      const ids = Array.from({ length: 25 }, (_, index) => `d${index}`);
      const half = [ids.slice(0, 12), ids.slice(12)] as const;
      await owner.commit({ deadLettersAdded: half[0].map((id) => ({ id, entry: "e" })) });
      const other = await Owner.of(lab.store, 2);
      await other.commit({ deadLettersAdded: half[1].map((id) => ({ id, entry: "e" })) });
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await lab.store.deadLetters({ limit: 10, ...(cursor && { cursor }) });
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(seen).toHaveLength(25);
      expect(seen.toSorted()).toEqual(ids.toSorted());
    });
  });
}
