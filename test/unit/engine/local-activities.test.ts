import { describe, expect, it } from "vitest";
import type { ActivityArguments } from "../../../src/activity.ts";
import { LocalActivities } from "../../../src/engine/activities/local-activities.ts";
import type { ResultArrival } from "../../../src/engine/arrival.ts";
import { Registry } from "../../../src/engine/registry.ts";
import type { Observation } from "../../../src/observer.ts";
import { silentTracer } from "../../../src/tracer.ts";
import { errand } from "../../support/errand.ts";
import { HandClock, settled } from "../../support/hand-clock.ts";

const task = {
  key: "errand/1",
  activity: "job",
  generation: 1,
  source: "work",
  definition: "1",
  attempt: 1,
  input: {},
};

function activitiesOf(run: (args: ActivityArguments) => unknown, storeNow = 0) {
  const clock = new HandClock();
  const arrived: ResultArrival[] = [];
  const observed: Observation[] = [];
  const activities = new LocalActivities({
    registry: new Registry([
      errand({ run, startToClose: 1_000 }),
      errand({ run: () => "2" }, { version: "2" }),
    ]),
    clock,
    observer: { observe: (observation) => observed.push(observation) },
    tracer: silentTracer,
    storeNow: () => storeNow,
    arrive: (result) => arrived.push(result),
  });
  return { activities, clock, arrived, observed };
}

describe("local activities", () => {
  it("bring the result with the outbox entry that it settles", async () => {
    const { activities, arrived } = activitiesOf(() => "1");
    activities.start(7, task, { traceparent: "t" });
    await settled();
    expect(arrived).toEqual([
      {
        kind: "result",
        receipt: { seq: 7 },
        key: "errand/1",
        trace: { traceparent: "t" },
        activity: "job",
        generation: 1,
        attempt: 1,
        outcome: { kind: "done", output: "1" },
      },
    ]);
    expect(activities.size).toBe(0);
  });

  it("run the code of the version that asks, and leave it be when that is not here", async () => {
    const { activities, arrived, observed } = activitiesOf(() => "1");
    activities.start(7, { ...task, definition: "2" }, {});
    activities.start(8, { ...task, definition: "3" }, {});
    activities.start(9, { ...task, source: "other" }, {});
    await settled();
    expect(arrived).toMatchObject([{ receipt: { seq: 7 }, outcome: { output: "2" } }]);
    expect(observed.filter(({ kind }) => kind === "trouble")).toHaveLength(2);
  });

  it("abort what is called off, and drop what it answers all the same", async () => {
    const signals: AbortSignal[] = [];
    const { activities, arrived } = activitiesOf(async ({ signal }) => {
      signals.push(signal);
      await settled();
      return "late";
    });
    activities.start(7, task, {});
    activities.start(8, { ...task, generation: 2 }, {});
    activities.abort("errand/1#1#job");
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await settled();
    await settled();
    expect(arrived).toMatchObject([{ generation: 2 }]);
  });

  it("abort everything when the partition goes", async () => {
    const { activities, arrived } = activitiesOf(async () => {
      await settled();
      return "late";
    });
    activities.start(7, task, {});
    activities.abortAll();
    expect(activities.size).toBe(0);
    await settled();
    await settled();
    expect(arrived).toEqual([]);
  });

  it("give an attempt no more time than is left for all of them together", async () => {
    const { activities, clock, arrived } = activitiesOf(() => new Promise(() => {}), 5_000);
    activities.start(7, { ...task, deadline: 5_300 }, {});
    await clock.pass(299);
    expect(arrived).toEqual([]);
    await clock.pass(1);
    expect(arrived).toMatchObject([
      { outcome: { kind: "error", error: { name: "TimeoutError" } } },
    ]);
  });
});
