import type { Benchmark } from "./benchmark.ts";
import { cpuOf, type Figures, type Report, rounded, speedOf } from "./report.ts";
import type { Target } from "./target.ts";

const path: Benchmark = { bench: "path", quick: "--messages 2000 --seconds 2" };
const latency: Benchmark = { bench: "latency", quick: "--seconds 2" };
const orders: Benchmark = { bench: "orders", quick: "--orders 500 --inFlight 50" };
const manyOrders: Benchmark = {
  bench: "orders",
  full: "--inFlight 2000",
  quick: "--orders 500 --inFlight 200",
};
const queuedOrders: Benchmark = {
  bench: "orders",
  how: "--queued",
  quick: "--orders 500 --inFlight 50",
};
const ordersAtRate: Benchmark = { bench: "orders", how: "--rate 20", quick: "--seconds 3" };
const timers: Benchmark = {
  bench: "timers",
  full: "--timers 100000 --window 16",
  quick: "--timers 10000 --window 1.6",
};
const memory: Benchmark = { bench: "memory", quick: "--instances 10000" };
const tracing: Benchmark = {
  bench: "path",
  how: "--only waybill --tracing 0.1 --rate 0",
  quick: "--messages 2000",
};
const step: Benchmark = { bench: "step", quick: "--events 4000" };
const embedded: Benchmark = {
  bench: "embedded",
  full: "--orders 8000",
  quick: "--orders 800 --inFlight 20",
};
const growth: Benchmark = {
  bench: "memory",
  how: "--rate 1000",
  full: "--instances 1000,10000,100000,1000000 --messages 20000",
  quick: "--instances 100,1000,10000,100000 --messages 2000 --seconds 2",
};

function figuresOf({ subjects }: Report, subject: string): Figures {
  return subjects[subject] ?? {};
}

/** One figure of one subject. */
function figure(subject: string, name: string): (report: Report) => number {
  return (report) => {
    const value = figuresOf(report, subject)[name];
    return typeof value === "number" ? value : Number.NaN;
  };
}

function ratio(name: string): (report: Report) => number {
  return ({ ratio: all = {} }) => all[name] ?? Number.NaN;
}

function speed(subject: string): (report: Report) => number {
  return (report) => speedOf(figuresOf(report, subject));
}

/** Seconds of CPU for 1,000 units: a thousandth of the microseconds for one. */
function cpuSeconds(subject: string): (report: Report) => number {
  return (report) => cpuOf(figuresOf(report, subject)) / 1_000;
}

function cpuUs(subject: string): (report: Report) => number {
  return (report) => cpuOf(figuresOf(report, subject));
}

/** Of several readings, each under what it is called in the table. */
function together(
  readings: Readonly<Record<string, (report: Report) => number>>,
): (report: Report) => Readonly<Record<string, number>> {
  return (report) =>
    Object.fromEntries(Object.entries(readings).map(([name, read]) => [name, read(report)]));
}

/** Bytes of the store for each of the most instances that rest. */
function restingBytes({ subjects }: Report): number {
  const resting = Object.entries(subjects).filter(([name]) => name.endsWith(" at rest"));
  const bytes = resting.at(-1)?.[1]["storeBytesPerInstance"];
  return typeof bytes === "number" ? bytes : Number.NaN;
}

/** CPU of the dearest event over that of the cheapest, whatever the number of instances. */
function spread(manner: string): (report: Report) => number {
  return ({ subjects }) => {
    const events = Object.entries(subjects).filter(([name]) => name.startsWith(`event ${manner} `));
    const cpu = events.map(([, figures]) => cpuOf(figures));
    return rounded(Math.max(...cpu) / Math.min(...cpu), 2);
  };
}

const p50 = { waybill: figure("waybill", "p50Ms"), bridge: figure("bridge", "p50Ms") };

function ordersRows(name: string, benchmark: Benchmark, underWay: string): readonly Target[] {
  return [
    {
      name: `${name}.speed`,
      what: `orders a second, ${underWay}`,
      benchmark,
      read: speed("waybill"),
      limit: { atLeast: 3_500 },
      unit: "/s",
    },
    {
      name: `${name}.cpu`,
      what: `CPU for 1,000 orders, ${underWay}`,
      benchmark,
      read: cpuSeconds("waybill"),
      limit: { atMost: 0.4 },
      unit: "s",
    },
  ];
}

/** What the engine should reach, in the order in which it is measured; those of one benchmark stand together. */
export const targets: readonly Target[] = [
  {
    name: "path.bridge",
    what: "CPU per message over the bare bridge's",
    benchmark: path,
    read: ratio("waybill CPU / bridge CPU"),
    limit: { atMost: 2.2 },
    unit: "×",
  },
  {
    name: "path.lean",
    what: "CPU per message without history and index over the bare bridge's",
    benchmark: path,
    read: ratio("lean CPU / bridge CPU"),
    limit: { atMost: 1.8 },
    unit: "×",
  },
  {
    name: "path.hand",
    what: "CPU per message by hand over this",
    benchmark: path,
    read: ratio("byHand CPU / waybill CPU"),
    limit: { atLeast: 10 },
    unit: "×",
  },
  {
    name: "path.speed",
    what: "messages a second over by hand",
    benchmark: path,
    read: ratio("waybill speed / byHand speed"),
    limit: { atLeast: 10 },
    unit: "×",
  },
  {
    name: "path.p50",
    what: "p50 at 100 events/s over the bridge's",
    benchmark: path,
    read: (report) => p50.waybill(report) / p50.bridge(report),
    limit: { atMost: 1.25 },
    unit: "×",
    beside: together({ "ms: this": p50.waybill, bridge: p50.bridge }),
  },
  {
    name: "latency",
    what: "p99 at 1,000 events/s",
    benchmark: latency,
    read: figure("waybill 1000/s", "p99Ms"),
    limit: { atMost: 25 },
    unit: "ms",
    beside: together({ bridge: figure("bridge 1000/s", "p99Ms") }),
  },
  ...ordersRows("orders", orders, "500 under way"),
  {
    name: "finished",
    what: "Redis for a finished order and its history",
    benchmark: orders,
    read: figure("waybill", "storeBytesPerOrder"),
    limit: { atMost: 3_000 },
    unit: "B",
  },
  ...ordersRows("orders2000", manyOrders, "2,000 under way"),
  {
    name: "queued",
    what: "CPU for 1,000 orders with queued activities",
    benchmark: queuedOrders,
    read: cpuSeconds("waybill"),
    limit: { atMost: 0.9 },
    unit: "s",
  },
  ...(["p50", "p99"] as const).map(
    (name): Target => ({
      name: `order.${name}`,
      what: `${name} of one order at 20/s, from its start until it waits for its signal`,
      benchmark: ordersAtRate,
      read: figure("start to packed", `${name}Ms`),
      limit: { atMost: name === "p50" ? 4 : 9 },
      unit: "ms",
      beside: together({ "the whole": figure("order", `${name}Ms`) }),
    }),
  ),
  {
    name: "timers.p50",
    what: "100,000 timers, 6,250 due a second: p50 of how late",
    benchmark: timers,
    read: figure("firing", "p50Ms"),
    limit: { atMost: 50 },
    unit: "ms",
  },
  {
    name: "timers.p99",
    what: "100,000 timers, 6,250 due a second: p99 of how late",
    benchmark: timers,
    read: figure("firing", "p99Ms"),
    limit: { atMost: 500 },
    unit: "ms",
  },
  {
    name: "timers.early",
    what: "100,000 timers, 6,250 due a second: how many are early",
    benchmark: timers,
    read: figure("firing", "early"),
    limit: { atMost: 0 },
    unit: "",
  },
  {
    name: "timers.cpu",
    what: "100,000 timers, 6,250 due a second: CPU to fire one",
    benchmark: timers,
    read: cpuUs("firing"),
    limit: { atMost: 60 },
    unit: "µs",
  },
  {
    name: "memory",
    what: "Redis for a waiting instance",
    benchmark: memory,
    read: restingBytes,
    limit: { atMost: 1_200 },
    unit: "B",
  },
  {
    name: "tracing",
    what: "CPU per message with a tenth of the traces sampled over that without",
    benchmark: tracing,
    read: ratio("traced CPU / waybill CPU"),
    limit: { atMost: 1.15 },
    unit: "×",
  },
  {
    name: "step",
    what: "CPU of a restored actor over that of the step with its record",
    benchmark: step,
    read: ratio("restored actor and record / engine's step and record"),
    limit: { atLeast: 2.5 },
    unit: "×",
  },
  {
    name: "embedded",
    what: "orders a second in one process with one file",
    benchmark: embedded,
    read: speed("waybill"),
    limit: { atLeast: 2_000 },
    unit: "/s",
  },
  {
    name: "growth",
    what: "an event among 1,000 to 1,000,000 instances, at a steady rate: most over least CPU",
    benchmark: growth,
    read: spread("at a rate"),
    limit: { atMost: 1.15 },
    unit: "×",
    beside: together({ "from full queues": spread("drained") }),
    isLong: true,
  },
];
