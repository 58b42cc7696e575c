import { describe, expect, it } from "vitest";
import type { Arrival } from "../../../src/engine/arrival.ts";
import { Intake, timerArrivals } from "../../../src/engine/intake.ts";
import { defaultLimits } from "../../../src/engine/limits.ts";

const stop = (key: string, { bytes = 0 } = {}): Arrival => {
  const delivery = { message: { body: "x".repeat(bytes) }, tag: 1, redeliveries: 0 };
  return { kind: "stop", key, trace: {}, receipt: { delivery } };
};

function filled(arrivals: readonly Arrival[], limits = {}): Intake {
  const intake = new Intake({ ...defaultLimits, ...limits }, ({ key }) => key === "suspect");
  for (const arrival of arrivals) intake.add(arrival);
  return intake;
}

function batches(intake: Intake): string[][] {
  const all: string[][] = [];
  while (intake.size > 0) all.push(intake.take().map(({ key }) => key));
  return all;
}

describe("an intake", () => {
  it("gives out in order what fits into a batch", () => {
    const arrivals = ["a", "b", "c", "d", "e"].map((key) => stop(key));
    expect(batches(filled(arrivals, { batchMessages: 2 }))).toEqual([
      ["a", "b"],
      ["c", "d"],
      ["e"],
    ]);
  });

  it("ends a batch by its bytes, but takes at least one", () => {
    const arrivals = ["a", "b", "c"].map((key) => stop(key, { bytes: 600 }));
    expect(batches(filled(arrivals, { batchBytes: 1_000 }))).toEqual([["a", "b"], ["c"]]);
    expect(batches(filled(arrivals, { batchBytes: 1 }))).toEqual([["a"], ["b"], ["c"]]);
  });

  it("gives out by itself what is suspect, so that it harms no other", () => {
    const arrivals = ["a", "suspect", "c", "d"].map((key) => stop(key));
    expect(batches(filled(arrivals))).toEqual([["a"], ["suspect"], ["c", "d"]]);
  });

  it("is empty once it was cleared", () => {
    const intake = filled([stop("a")]);
    intake.clear();
    expect(intake.take()).toEqual([]);
  });
});

describe("due rows", () => {
  it("become arrivals in their order, and rows that are no timers are left out", () => {
    const rows = [
      { id: "order/2#1#late", due: 5 },
      { id: "nonsense", due: 6 },
      { id: "order/1#4#later", due: 7 },
    ];
    expect(timerArrivals(rows)).toMatchObject([
      {
        kind: "timer",
        key: "order/2",
        generation: 1,
        name: "late",
        receipt: { timerRow: rows[0] },
      },
      { kind: "timer", key: "order/1", generation: 4, name: "later" },
    ]);
  });
});
