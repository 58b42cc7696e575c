import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Customers } from "../../../bench/customers.ts";
import { orderDone, orderPacked } from "../../../bench/order.ts";

/** Customers of a shop that answers each start and each signal when it may, and what was seen there. */
function openShop(mayAnswer: (seen: readonly string[]) => Promise<unknown>) {
  const seen: string[] = [];
  const answer = (type: string, id: string) =>
    void mayAnswer(seen).then(() => {
      seen.push(`${type} ${id}`);
      customers.hear(type, id);
    });
  const customers = new Customers({
    place(id) {
      seen.push(`place ${id}`);
      answer(orderPacked, id);
    },
    collect(id) {
      seen.push(`collect ${id}`);
      answer(orderDone, id);
    },
  });
  return { customers, seen };
}

test("Orders under way at a time are as many as asked for, and all end", async () => {
  const { customers, seen } = openShop(() => sleep(5));
  expect(await customers.run(6, 2)).toHaveLength(6);
  expect(seen.slice(0, 2)).toEqual(["place o0", "place o1"]);
  let underWay = 0;
  for (const line of seen) {
    if (line.startsWith("place")) underWay += 1;
    if (line.startsWith(orderDone)) underWay -= 1;
    expect(underWay).toBeLessThanOrEqual(2);
  }
});

test("Orders that come at a steady rate wait for no other one", async () => {
  const allPlaced = async (seen: readonly string[]) => {
    while (seen.length < 10) await sleep(1);
  };
  const { customers, seen } = openShop(allPlaced);
  expect(await customers.arrive(100, 0.1)).toHaveLength(10);
  const placed = seen.filter((line) => line.startsWith("place"));
  expect(placed).toHaveLength(10);
  expect(seen.slice(0, 10)).toEqual(placed);
});

test("An order that ends makes no other one come early", async () => {
  const placedAt: number[] = [];
  const { customers } = openShop(async (seen) => {
    if (seen.at(-1)?.startsWith("place")) placedAt.push(performance.now());
  });
  expect(await customers.arrive(5, 0.4)).toHaveLength(2);
  const [first = 0, second = 0] = placedAt;
  expect(second - first).toBeGreaterThan(150);
});

test("The signal is sent when the order waits for it, and both parts make the whole", async () => {
  const { customers, seen } = openShop(() => sleep(20));
  const [took] = await customers.run(1, 1);
  expect(seen).toEqual(["place o0", `${orderPacked} o0`, "collect o0", `${orderDone} o0`]);
  const { toPacked = 0, toDone = 0, whole = 0 } = took ?? {};
  expect(whole).toBeCloseTo(toPacked + toDone, 6);
  expect(Math.min(toPacked, toDone)).toBeGreaterThan(10);
});
