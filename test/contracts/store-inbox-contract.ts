import { beforeEach, describe, expect, test } from "vitest";
import { inboxOf, type StoreFactory, useOwner, useStore, writeOf } from "./store-lab.ts";

export function storeInboxContract(create: StoreFactory): void {
  const lab = useStore(create);
  const owner = useOwner(lab);

  describe("an inbox", () => {
    test("remembers each id with the time it was accepted, per instance", async () => {
      await owner.write(
        writeOf("order/1", { inbox: [{ id: "z", bornAt: await lab.store.now() }] }),
        writeOf("order/2", { inbox: [{ id: "z" }] }),
      );
      await lab.advance(5);
      await owner.write(writeOf("order/1", { expectedVersion: 1, inbox: [{ id: "a" }] }));
      const entries = await inboxOf(lab.store, 1, "order/1");
      const [instance] = await lab.store.load(1, ["order/1"]);
      expect(entries).toEqual([
        { id: "z", at: instance?.createdAt },
        { id: "a", at: instance?.updatedAt },
      ]);
      expect(await owner.inboxIds("order/2")).toEqual(["z"]);
      expect(await owner.inboxIds("order/none")).toEqual([]);
    });

    test("forgets the ids it is told to, which may then come again", async () => {
      await owner.write(writeOf("order/1", { inbox: [{ id: "a" }, { id: "b" }] }));
      await owner.write(writeOf("order/1", { expectedVersion: 1, inboxForget: ["a", "unknown"] }));
      expect(await owner.inboxIds("order/1")).toEqual(["b"]);
      await owner.write(writeOf("order/1", { expectedVersion: 2, inbox: [{ id: "a" }] }));
      expect((await owner.inboxIds("order/1")).toSorted()).toEqual(["a", "b"]);
    });
  });

  describe.each([
    ["an inbox of few ids", 9, ""],
    ["an inbox of many ids", 60, "x".repeat(30)],
  ])("%s", (_, count, tail) => {
    const names = (from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_one, index) => `${(from + index) * 7919} ${tail}`);
    const [old, young] = [names(0, count), names(count, 2 * count)];
    let before = 0;

    beforeEach(async () => {
      await owner.write(
        writeOf("order/1", { inbox: old.map((id) => ({ id })) }),
        writeOf("order/2", { inbox: [{ id: "other" }] }),
      );
      await lab.advance(5);
      const inbox = young.map((id) => ({ id }));
      await owner.write(writeOf("order/1", { expectedVersion: 1, inbox }));
      before = (await lab.store.load(1, ["order/1"]))[0]?.updatedAt ?? Number.NaN;
    });

    test("tells which of some messages were handled, in the order in which they are asked for", async () => {
      const asked = [young[3], "none", "other", old[5], old[1]].map(String);
      expect(await lab.store.handled(1, "order/1", asked)).toEqual([young[3], old[5], old[1]]);
      expect(await lab.store.handled(1, "order/1", ["none"])).toEqual([]);
      expect(await lab.store.handled(1, "order/none", asked)).toEqual([]);
    });

    test("is read in pages that hold no more than they are asked to look at", async () => {
      const pages = [await lab.store.inbox(1, "order/1", { before: Infinity, limit: 4 })];
      for (let cursor = pages[0]?.nextCursor; cursor !== undefined; ) {
        const page = await lab.store.inbox(1, "order/1", { before: Infinity, limit: 4, cursor });
        pages.push(page);
        cursor = page.nextCursor;
      }
      expect(pages.map(({ items }) => items.length > 4)).not.toContain(true);
      const ids = pages.flatMap(({ items }) => items.map(({ id }) => id));
      expect(ids.toSorted()).toEqual([...old, ...young].toSorted());
    });

    test("gives what is older than a time, also while it is told to forget what it gives", async () => {
      const given: string[] = [];
      let [cursor, isMore] = ["", true];
      for (let version = 2; isMore; version += 1) {
        const query = { before, limit: 4, ...(cursor !== "" && { cursor }) };
        const { items, nextCursor } = await lab.store.inbox(1, "order/1", query);
        const inboxForget = items.map(({ id }) => id);
        expect(inboxForget.length).toBeLessThanOrEqual(4);
        given.push(...inboxForget);
        await owner.write(writeOf("order/1", { expectedVersion: version, inboxForget }));
        [cursor, isMore] = [nextCursor ?? "", nextCursor !== undefined];
      }
      expect(given.toSorted()).toEqual(old.toSorted());
      expect((await owner.inboxIds("order/1")).toSorted()).toEqual(young.toSorted());
    });
  });
}
