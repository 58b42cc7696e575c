import { describe, expect, test } from "vitest";
import type { ListQuery } from "../../src/store.ts";
import { type StoreFactory, useOwner, useStore, writeOf } from "./store-lab.ts";

export function storeListContract(create: StoreFactory): void {
  const lab = useStore(create);
  const owner = useOwner(lab);
  const other = useOwner(lab, 2);

  async function keysOf(query: Partial<ListQuery>): Promise<readonly string[]> {
    const page = await lab.store.list({ workflow: "order", terms: [], limit: 100, ...query });
    return page.items.map(({ key }) => key);
  }

  /** All pages, with something done between one and the next. */
  async function walk(
    query: Omit<ListQuery, "cursor">,
    between: (page: number) => Promise<void> = async () => {},
  ): Promise<readonly string[]> {
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let page = 1; page < 1_000; page += 1) {
      const answer = await lab.store.list({ ...query, ...(cursor && { cursor }) });
      expect(answer.items.length).toBeLessThanOrEqual(query.limit);
      seen.push(...answer.items.map(({ key }) => key));
      cursor = answer.nextCursor;
      if (cursor === undefined) break;
      await between(page);
    }
    return seen;
  }

  describe("listing", () => {
    test("gives whole instances of the workflow, newest first, over all partitions", async () => {
      await owner.write(writeOf("order/b"));
      await lab.advance(5);
      await other.write(writeOf("order/c"), writeOf("ordering/x"));
      await lab.advance(5);
      await owner.write(writeOf("order/a"), writeOf("order.line/y"));
      await owner.write(writeOf("order/b", { expectedVersion: 1 }));
      expect(await keysOf({})).toEqual(["order/a", "order/c", "order/b"]);
      const { items } = await lab.store.list({ workflow: "order", terms: [], limit: 1 });
      expect(items).toEqual(await lab.store.load(1, ["order/a"]));
      expect(await keysOf({ workflow: "unknown" })).toEqual([]);
    });

    test("finds only what carries all of the terms", async () => {
      await owner.write(
        writeOf("order/1", { termsAdded: ["status:active", "state:a", "tag:x"] }),
        writeOf("order/2", { termsAdded: ["status:active", "state:b"] }),
      );
      await other.write(
        writeOf("order/3", { termsAdded: ["status:done", "state:a"] }),
        writeOf("ship/4", { termsAdded: ["status:active", "state:a"] }),
      );
      expect(await keysOf({ terms: ["status:active", "state:a"] })).toEqual(["order/1"]);
      expect(await keysOf({ terms: ["tag:x", "state:a", "status:active"] })).toEqual(["order/1"]);
      expect((await keysOf({ terms: ["state:a"] })).toSorted()).toEqual(["order/1", "order/3"]);
      expect(await keysOf({ terms: ["state:a", "state:b"] })).toEqual([]);
      expect(await keysOf({ terms: ["state"] })).toEqual([]);
    });

    test("follows the terms as they are added and removed", async () => {
      await owner.write(writeOf("order/1", { termsAdded: ["a", "b"] }));
      await lab.advance(5);
      const change = { expectedVersion: 1, termsRemoved: ["a", "unknown"], termsAdded: ["b", "c"] };
      await owner.write(writeOf("order/1", change));
      expect(await keysOf({ terms: ["a"] })).toEqual([]);
      expect(await keysOf({ terms: ["b", "c"] })).toEqual(["order/1"]);
      expect(await lab.store.count("order")).toEqual({ b: 1, c: 1 });
    });

    test("finds only what was written after a time", async () => {
      await owner.write(
        writeOf("order/1", { termsAdded: ["a"] }),
        writeOf("order/2", { termsAdded: ["a"] }),
      );
      const [second] = await lab.store.load(1, ["order/2"]);
      const updatedAfter = second?.updatedAt ?? Number.NaN;
      expect(await keysOf({ updatedAfter })).toEqual([]);
      await lab.advance(5);
      await owner.write(writeOf("order/1", { expectedVersion: 1 }));
      expect(await keysOf({ updatedAfter })).toEqual(["order/1"]);
      expect(await keysOf({ updatedAfter, terms: ["a"] })).toEqual(["order/1"]);
      expect((await keysOf({ updatedAfter: updatedAfter - 1 })).toSorted()).toEqual([
        "order/1",
        "order/2",
      ]);
    });

    test("tells of a next page only when more may follow", async () => {
      await owner.write(writeOf("order/1"), writeOf("order/2"), writeOf("order/3"));
      const first = await lab.store.list({ workflow: "order", terms: [], limit: 2 });
      expect(first.items).toHaveLength(2);
      expect(first.nextCursor).toMatch(/^[\w-]+$/);
      const rest = await lab.store.list({
        workflow: "order",
        terms: [],
        limit: 2,
        cursor: first.nextCursor ?? "",
      });
      expect(rest.items).toHaveLength(1);
      expect(rest.nextCursor).toBeUndefined();
    });

    test.each([[[]], [["a"]]])(
      "pages through 1,000 instances with terms %j without gap or repeat while others are written",
      async (terms) => {
        const keys = Array.from({ length: 1_000 }, (_, index) => `order/${index}`);
        const half = (start: number) =>
          keys.slice(start, start + 500).map((key) => writeOf(key, { termsAdded: ["a"] }));
        await owner.write(...half(0));
        await lab.advance(2);
        await other.write(...half(500));
        const seen = await walk({ workflow: "order", terms, limit: 70 }, async (page) => {
          await owner.write(
            writeOf(`order/new-${page}`, { termsAdded: ["a"] }),
            writeOf(`order/${page}`, { expectedVersion: 1 }),
          );
        });
        expect(seen.filter((key) => !key.includes("new")).toSorted()).toEqual(keys.toSorted());
        expect(new Set(seen).size).toBe(seen.length);
      },
    );

    test("refuses a cursor that is none of its own", async () => {
      const query = { workflow: "order", terms: [], limit: 9 };
      await expect(lab.store.list({ ...query, cursor: "nonsense!" })).rejects.toMatchObject({
        code: "invalid-cursor",
      });
      await expect(lab.store.deadLetters({ limit: 9, cursor: "e30" })).rejects.toMatchObject({
        code: "invalid-cursor",
      });
    });
  });

  describe("counting", () => {
    test("gives the instances of each term over all partitions", async () => {
      await owner.write(
        writeOf("order/1", { termsAdded: ["status:active", "state:a"] }),
        writeOf("order/2", { termsAdded: ["status:active"] }),
        writeOf("ship/1", { termsAdded: ["status:active"] }),
      );
      await other.write(writeOf("order/3", { termsAdded: ["status:active", "state:a"] }));
      expect(await lab.store.count("order")).toEqual({ "status:active": 3, "state:a": 2 });
      await other.write(writeOf("order/3", { expectedVersion: 1, termsRemoved: ["state:a"] }));
      expect(await lab.store.count("order")).toEqual({ "status:active": 3, "state:a": 1 });
      expect(await lab.store.count("unknown")).toEqual({});
    });

    test("gives only the terms that are asked for, and those that somebody carries", async () => {
      await owner.write(
        writeOf("order/1", { termsAdded: ["status:active", "state:a"] }),
        writeOf("order/2", { termsAdded: ["status:active", "state:b"] }),
        writeOf("ship/1", { termsAdded: ["status:done"] }),
      );
      const terms = ["status:active", "state:b", "status:done"];
      expect(await lab.store.count("order", terms)).toEqual({ "status:active": 2, "state:b": 1 });
      expect(await lab.store.count("order", [])).toEqual({});
    });
  });
}
