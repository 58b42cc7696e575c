import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Facts } from "../../../../src/engine/health/facts.ts";
import { findingsOf, spanOf } from "../../../../src/engine/health/findings.ts";
import { healthLimits } from "../../../../src/engine/health/limits.ts";

const status = (partition: number, change: object = {}) => ({
  partition,
  epoch: 1,
  owner: "p",
  leaseUntil: 0,
  outboxEntries: 0,
  timers: 0,
  nextDue: undefined,
  deadLetters: 0,
  ...change,
});

/** A process in which all is well. */
const well: Facts = {
  engine: true,
  owned: [0, 1],
  partitionCount: 2,
  partitions: [status(0), status(1)],
  queues: [],
  overdueTimers: 0,
  instances: [{ workflow: "order", failed: 0, suspended: 3, stuck: 0 }],
  waitingInstances: 0,
  broker: { status: "up" },
  durability: { store: "fsync", broker: "fsync", advice: [] },
  ownerless: [],
  stalled: [],
  oldestOverdueMs: 0,
  oldestOutboxMs: 0,
  oldestWaitingMs: 0,
  clockSkewMs: 0,
  loopLagMs: 3,
  deadEnds: [],
  rollbacks: [],
};
const some = { failed: 0, suspended: 0, stuck: 0 };
const second = { store: "second", broker: "fsync", advice: [] } as const;

/** What makes each finding, what just does not, and what it says. */
const cases: readonly (readonly [string, Partial<Facts>, Partial<Facts>, RegExp])[] = [
  ["broker-away", { broker: { status: "down", reason: "refused" } }, {}, /is down: refused/],
  ["store-away", { storeTrouble: "timed out" }, {}, /does not answer: timed out/],
  [
    "no-owner",
    { ownerless: [lasting(0, 1), lasting(1, 1)] },
    { engine: false, ownerless: [lasting(0, 1), lasting(1, 1)] },
    /no partition has an owner/,
  ],
  [
    "partitions-without-owner",
    { ownerless: [lasting(1, 10_000)] },
    { ownerless: [lasting(1, 9_999)] },
    /^Partition 1 has had no owner for 10 s/,
  ],
  [
    "partitions-without-progress",
    { stalled: [lasting(1, 30_000)] },
    { stalled: [lasting(1, 29_000)] },
    /^Partition 1 has had work for 30 s and committed nothing/,
  ],
  [
    "no-progress",
    { stalled: [lasting(0, 40_000), lasting(1, 30_000)] },
    { stalled: [lasting(0, 40_000), lasting(1, 3_000)] },
    /^Partitions 0, 1 have had work for 40 s/,
  ],
  [
    "overdue-timers",
    { overdueTimers: 7, oldestOverdueMs: 30_000 },
    { overdueTimers: 7, oldestOverdueMs: 29_000 },
    /^7 timers are overdue, the oldest by 30 s/,
  ],
  ["old-outbox", { oldestOutboxMs: 60_000 }, { oldestOutboxMs: 59_000 }, /promised for 60 s/],
  [
    "large-outbox",
    { partitions: [status(0, { outboxEntries: 5_000 })] },
    { partitions: [status(0, { outboxEntries: 4_999 })] },
    /^Partition 0 has up to 5000 effects/,
  ],
  [
    "long-queue",
    { queues: [{ partition: 1, messages: 5_000 }] },
    { queues: [{ partition: 1, messages: 4_999 }] },
    /^Partition 1 has up to 5000 messages waiting/,
  ],
  [
    "dead-letters",
    { partitions: [status(0, { deadLetters: 2 })] },
    {},
    /^2 messages are set aside/,
  ],
  [
    "stuck-instances",
    { instances: [{ ...some, workflow: "order", stuck: 2 }] },
    {},
    /nothing known can move them: 2 of order\. GET \/workflows\/order\/instances\?stuck=true/,
  ],
  [
    "failed-instances",
    { instances: [{ ...some, workflow: "order", failed: 1 }] },
    { instances: [{ ...some, workflow: "order", suspended: 1 }] },
    /1 of order\. GET \/workflows\/order\/instances\?status=failed/,
  ],
  [
    "old-waiting-events",
    { waitingInstances: 2, oldestWaitingMs: 86_400_000 },
    { waitingInstances: 2, oldestWaitingMs: 86_000_000 },
    /2 instances keep events waiting, one of them for 24 h/,
  ],
  [
    "store-durability",
    { durability: second },
    {},
    /last seconds with it\. Set `appendfsync always`/,
  ],
  [
    "store-settings",
    { durability: { ...well.durability, advice: ["Set `maxmemory-policy noeviction`."] } },
    {},
    /noeviction/,
  ],
  [
    "broker-durability",
    { durability: { ...well.durability, broker: "memory" } },
    {},
    /messages on their way are lost/,
  ],
  ["clock-skew", { clockSkewMs: -5_000 }, { clockSkewMs: 4_999 }, /5\.0 s behind this process's/],
  [
    "clock-jump",
    { clockJump: { byMs: -4_000, agoMs: 599_000 } },
    { clockJump: { byMs: -4_000, agoMs: 600_000 } },
    /jumped back by 4\.0 s: timers fire late/,
  ],
  [
    "event-loop-blocked",
    { loopBlocked: { durationMs: 2_500, agoMs: 0 } },
    { loopBlocked: { durationMs: 2_500, agoMs: 600_000 } },
    /Nothing else could run in this process for 2\.5 s/,
  ],
  [
    "store-rolled-back",
    { rollbacks: ["partition 1: 2 are lost"] },
    {},
    /^Partition 1: 2 are lost\./,
  ],
  ["dead-end-states", { deadEnds: ["m.end of order"] }, {}, /out of these states: m\.end of order/],
];

function lasting(partition: number, forMs: number) {
  return { partition, forMs };
}

const found = (facts: Partial<Facts>) => findingsOf({ ...well, ...facts }, healthLimits);

describe("what an operator is told", () => {
  it("is nothing while all is well", () => {
    expect(found({})).toEqual([]);
  });

  it.each(cases)(
    "is %s, at its limit and not before, with what to do",
    (code, bad, good, words) => {
      expect(found(good).map((one) => one.code)).not.toContain(code);
      const finding = found(bad).find((one) => one.code === code);
      expect(`${finding?.message} ${finding?.action}`).toMatch(words);
      expect(finding?.action).toMatch(/[a-z`].*[.]$/);
    },
  );

  it("keeps a process from work only when it cannot take any", () => {
    const severe = cases
      .flatMap(([, bad]) => found(bad))
      .filter((one) => one.severity === "problem");
    expect(severe.map(({ code }) => code)).toEqual([
      "broker-away",
      "store-away",
      "no-owner",
      "no-progress",
    ]);
    const [first] = found({ ...cases[0]?.[1], clockSkewMs: 9_000 });
    expect(first?.severity).toBe("problem");
  });

  it("does not blame owners while the store cannot be asked for them", () => {
    const codes = found({ storeTrouble: "away", partitions: [] }).map(({ code }) => code);
    expect(codes).toEqual(["store-away"]);
  });

  it("has the store's own advice for its durability, if there is some", () => {
    const durability = { ...second, advice: ["Set `appendfsync always` (it is everysec)."] };
    expect(found({ durability }).map(({ action }) => action)).toEqual(durability.advice);
  });

  it("changes its subject when other partitions are concerned, and not with the time", () => {
    const about = (...ones: Facts["ownerless"]) => found({ ownerless: ones })[0]?.about;
    expect(about(lasting(1, 20_000))).toBe(about(lasting(1, 90_000)));
    expect(about(lasting(1, 20_000))).not.toBe(about(lasting(0, 20_000)));
  });

  it("has a row in the operators' page", () => {
    const page = readFileSync("docs/operations.md", "utf8");
    const codes = cases.map(([code]) => code);
    expect(codes.filter((code) => !page.includes(`| \`${code}\` |`))).toEqual([]);
  });

  it("says durations as people do", () => {
    expect([1_400, 119_000, 600_000, 90_000_000].map(spanOf)).toEqual([
      "1 s",
      "119 s",
      "10 min",
      "25 h",
    ]);
  });
});
