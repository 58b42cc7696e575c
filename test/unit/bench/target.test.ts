import { expect, test } from "vitest";
import type { Outcome } from "../../../bench/benchmark.ts";
import type { Report } from "../../../bench/report.ts";
import { markdownOf, pick, rowOf, type Target } from "../../../bench/target.ts";

const speed: Target = {
  name: "orders.speed",
  what: "orders a second",
  benchmark: { bench: "orders", quick: "--orders 1" },
  read: ({ subjects }) => subjects["waybill"]?.perSecond ?? Number.NaN,
  limit: { atLeast: 3_500 },
  unit: "/s",
};
const late: Target = { ...speed, name: "orders.late", limit: { atMost: 50 }, unit: "ms" };
const long: Target = { ...speed, name: "growth", isLong: true };

function measured(perSecond: number): Outcome {
  const subjects = { waybill: { perSecond } };
  const report: Report = {
    bench: "orders",
    unit: "one",
    settings: {},
    othersBusyCores: 0,
    subjects,
  };
  return { kind: "measured", report };
}

test("A target is met at its limit and beyond it, in whichever direction that is", () => {
  const met = (target: Target, seen: number) => rowOf(target, "c", measured(seen)).met;
  expect([3_499, 3_500, 3_501].map((seen) => met(speed, seen))).toEqual([false, true, true]);
  expect([49, 50, 50.004, 50.01].map((seen) => met(late, seen))).toEqual([true, true, true, false]);
});

test("A row has what was seen, and what stands beside it", () => {
  const beside = () => ({ bridge: 9.5, "the whole": 12 });
  const row = rowOf({ ...late, beside }, "npm run bench:orders", measured(1_234.567));
  expect(row).toEqual({
    name: "orders.late",
    what: "orders a second",
    target: "≤ 50 ms",
    seen: 1_234.57,
    unit: "ms",
    beside: { bridge: 9.5, "the whole": 12 },
    met: false,
    command: "npm run bench:orders",
  });
  const [, , line] = markdownOf([row]).split("\n");
  expect(line).toBe(
    "| orders a second | ≤ 50 ms | 1,234.57 ms (bridge 9.5, the whole 12) | no | `npm run bench:orders` |",
  );
});

test("A benchmark that failed, or has no such figure, gives a row that says so", () => {
  const failed = rowOf(speed, "c", { kind: "failed", reason: "no | broker" });
  const empty = rowOf(speed, "c", measured(Number.NaN));
  expect([failed, empty]).toMatchObject([
    { met: false, problem: "no | broker" },
    { met: false, problem: "its result has no such figure" },
  ]);
  expect([failed.seen, empty.seen]).toEqual([undefined, undefined]);
  expect(markdownOf([failed, empty]).split("\n")).toEqual([
    "| what | target | seen | met | command |",
    "| --- | --- | --- | --- | --- |",
    "| orders a second | ≥ 3,500 /s | failed: no \\| broker | no | `c` |",
    "| orders a second | ≥ 3,500 /s | failed: its result has no such figure | no | `c` |",
  ]);
});

test("Rows are picked by their name or that of their group, and what takes long only when asked for", () => {
  const all = [speed, late, long];
  const picked = (only: string, wantsAll = false) => pick(all, { only, all: wantsAll });
  expect(picked("")).toEqual([speed, late]);
  expect(picked("", true)).toEqual(all);
  expect(picked("orders")).toEqual([speed, late]);
  expect(picked("growth,orders.late")).toEqual([late, long]);
  expect(() => picked("orders,order")).toThrow('There is no row "order"; there are: orders.speed');
});
