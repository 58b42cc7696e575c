import { describe, expect, it } from "vitest";
import { setup } from "xstate";
import { z } from "zod";
import type { Duration } from "../../../src/duration.ts";
import { defineWorkflow } from "../../../src/workflow.ts";
import { arrivalFor, Planner } from "../../support/planned.ts";

const dayMs = 86_400_000;

function visits(retention?: Duration): Planner {
  const machine = setup({ types: { events: {} as { type: "leave" } } }).createMachine({
    initial: "here",
    states: { here: { on: { leave: "gone" } }, gone: { type: "final" } },
  });
  const kept = retention === undefined ? {} : { retention };
  const events = { leave: z.object({}) };
  return new Planner([defineWorkflow({ name: "visit", version: "1", events, machine, ...kept })]);
}

const start = arrivalFor("start", "visit/v", {
  type: "waybill.start",
  input: {},
  onConflict: "terminate-existing",
});
const leave = arrivalFor("event", "visit/v", { type: "leave", payload: {} });
const over = arrivalFor("timer", "visit/v", { name: "~retention", generation: 0 });

describe("the retention of an instance", () => {
  it.each([
    [undefined, 7],
    ["30d", 30],
    // A copy of its start that comes late must find it.
    ["1s", 2],
  ] as const)("of %s begins with its end and lasts %d days", (retention, days) => {
    const planner = visits(retention);
    expect([...planner.batch([start]).armed]).toEqual([]);
    const plan = planner.batch([leave]);
    expect([...plan.armed]).toEqual([["visit/v#0#~retention", planner.now + days * dayMs]]);
  });

  it("ends with its removal", () => {
    const planner = visits();
    planner.batch([start, leave]);
    const plan = planner.batch([over]);
    expect(plan.toCommit().instances).toMatchObject([
      { key: "visit/v", expectedVersion: 2, record: undefined },
    ]);
    expect(planner.instances.size).toBe(0);
  });

  it("is called off when it begins anew, and begins again with the next end", () => {
    const planner = visits();
    planner.batch([start, leave]);
    expect([...planner.batch([start]).disarmed]).toContain("visit/v#0#~retention");
    planner.batch([over]);
    expect(planner.instances.size).toBe(1);
    expect([...planner.batch([leave]).armed.values()]).toEqual([planner.now + 7 * dayMs]);
    planner.now += dayMs;
    // It ends, begins and ends in one batch: the time counts from the last end.
    expect([...planner.batch([start, leave]).armed.values()]).toEqual([planner.now + 7 * dayMs]);
  });

  it("is refused when it is no duration", () => {
    expect(() => visits("soon" as Duration)).toThrow('The retention "soon" is no duration');
  });
});
