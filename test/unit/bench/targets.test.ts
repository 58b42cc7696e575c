import { expect, test } from "vitest";
import { commandOf } from "../../../bench/benchmark.ts";
import type { Report } from "../../../bench/report.ts";
import { targets } from "../../../bench/targets.ts";

const cpu = (total: number) => {
  return { cpuUsPerUnit: { engine: 0, broker: 0, store: 0, driver: 0, total } };
};

/** A report that has everything which any row reads, as its benchmark writes it. */
const report: Report = {
  bench: "any",
  unit: "one",
  settings: {},
  othersBusyCores: 0,
  subjects: {
    waybill: { perSecond: 3_000, p50Ms: 4, storeBytesPerOrder: 2_046, ...cpu(390) },
    bridge: { p50Ms: 2 },
    "waybill 1000/s": { p99Ms: 21 },
    "bridge 1000/s": { p99Ms: 11 },
    order: { p50Ms: 8, p99Ms: 18 },
    "start to packed": { p50Ms: 5, p99Ms: 14 },
    firing: { p50Ms: 43, p99Ms: 309, early: 0, ...cpu(266) },
    "1,000 at rest": { storeBytesPerInstance: 1_300 },
    "event at a rate among 1,000": cpu(100),
    "event drained among 1,000": cpu(50),
    "100,000 at rest": { storeBytesPerInstance: 1_205 },
    "event at a rate among 100,000": cpu(90),
    "event drained among 100,000": cpu(80),
  },
  ratio: {
    "waybill CPU / bridge CPU": 2.4,
    "lean CPU / bridge CPU": 2.1,
    "byHand CPU / waybill CPU": 4.6,
    "waybill speed / byHand speed": 4.7,
    "traced CPU / waybill CPU": 1.16,
    "restored actor and record / engine's step and record": 2.34,
  },
};

test("Every row reads its figure", () => {
  expect(Object.fromEntries(targets.map(({ name, read }) => [name, read(report)]))).toEqual({
    "path.bridge": 2.4,
    "path.lean": 2.1,
    "path.hand": 4.6,
    "path.speed": 4.7,
    "path.p50": 2,
    latency: 21,
    "orders.speed": 3_000,
    "orders.cpu": 0.39,
    finished: 2_046,
    "orders2000.speed": 3_000,
    "orders2000.cpu": 0.39,
    queued: 0.39,
    "order.p50": 5,
    "order.p99": 14,
    "timers.p50": 43,
    "timers.p99": 309,
    "timers.early": 0,
    "timers.cpu": 266,
    memory: 1_205,
    tracing: 1.16,
    step: 2.34,
    embedded: 3_000,
    growth: 1.11,
  });
  expect(targets.flatMap(({ beside }) => (beside === undefined ? [] : [beside(report)]))).toEqual([
    { "ms: this": 4, bridge: 2 },
    { bridge: 11 },
    { "the whole": 8 },
    { "the whole": 18 },
    { "from full queues": 1.6 },
  ]);
});

test("None reads anything from a report without figures", () => {
  const empty = { ...report, subjects: {}, ratio: {} };
  const read = targets.filter((target) => Number.isFinite(target.read(empty)));
  expect(read.map(({ name }) => name)).toEqual([]);
});

test("Rows of one benchmark stand together and share its run", () => {
  const runs = targets.map(({ benchmark }) => benchmark);
  const begun = runs.filter((run, index) => run !== runs[index - 1]);
  expect(begun).toHaveLength(new Set(runs).size);
  const commands = begun.map((run) => commandOf(run, false));
  expect(new Set(commands).size).toBe(commands.length);
});
