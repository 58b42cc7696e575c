import { beforeEach, describe, expect, it } from "vitest";
import { setup } from "xstate";
import { z } from "zod";
import { endSpans } from "../../../src/engine/plan/trace-step.ts";
import { viewOf } from "../../../src/engine/view.ts";
import { defineWorkflow } from "../../../src/workflow.ts";
import { errand } from "../../support/errand.ts";
import { arrivalFor, Planner } from "../../support/planned.ts";
import { RecordingTracer } from "../../support/recording-tracer.ts";

const start = arrivalFor("start", "errand/e", {
  type: "waybill.start",
  input: {},
  onConflict: "same-input",
  messageId: "m0",
  receipt: { delivery: { message: { body: "" }, tag: 1, redeliveries: 0 } },
});
const call = arrivalFor("event", "errand/e", {
  type: "errand.call",
  payload: {},
  messageId: "m1",
});

let planner: Planner;
let tracer: RecordingTracer;

beforeEach(() => {
  planner = new Planner([errand({ run: () => "ok", local: false })]);
  tracer = new RecordingTracer();
});

const batch = (arrivals: Parameters<Planner["batch"]>[0]) => planner.batch(arrivals, { tracer });

describe("the span of a step", () => {
  it("is what its effects, its history and later steps name as their cause", () => {
    const trace = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`, baggage: "k=v" };
    const plan = batch([{ ...start, trace }]);
    const [step, send] = tracer.spans;
    expect(step).toMatchObject({ name: "process waybill.start", kind: "consumer", parent: trace });
    expect(send).toMatchObject({
      name: "send waybill.activity.errand.work",
      kind: "producer",
      parent: step?.headers,
    });
    expect(plan.outbox).toMatchObject([
      { content: { outgoing: { message: { headers: send?.headers } } } },
    ]);
    expect(plan.toCommit().instances[0]?.history[0]).toContain(`"traceId":"${"a".repeat(32)}"`);
    expect(planner.instances.get("errand/e")?.traced).toEqual({
      headers: step?.headers,
      at: planner.now,
      first: "a".repeat(32),
    });
  });

  it("ends only when its plan is committed, and then says from where to where it led", () => {
    const thrownAway = batch([start]);
    planner.instances.clear();
    const plan = batch([start]);
    endSpans(plan);
    expect(thrownAway.spans.steps).toHaveLength(1);
    expect(tracer.spans.map(({ ended }) => ended !== undefined)).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(tracer.ended[0]?.ended?.attributes).toEqual({
      "workflow.outcome": "started",
      "workflow.state.to": "working",
      "workflow.machine.version": "1",
    });
  });

  it("knows the step before, for a tracer that does not follow a cause over a long wait", () => {
    batch([start]);
    planner.now += 90_000;
    batch([call]);
    expect(tracer.spans.at(-1)).toMatchObject({
      name: "process errand.call",
      previous: { headers: tracer.spans[0]?.headers, agoMs: 90_000 },
    });
  });

  it("says that a message came twice, and marks what became a dead letter as an error", () => {
    const unknown = { ...call, messageId: "m2", type: "errand.other" };
    endSpans(batch([start, call, call, unknown]));
    const [repeated, refused] = tracer.ended.slice(-3);
    expect(repeated?.ended).toMatchObject({
      attributes: { "workflow.outcome": "duplicate", "workflow.duplicate": true },
    });
    expect(refused?.ended).toMatchObject({
      attributes: { "workflow.outcome": "dead-letter", "error.type": "not-accepted" },
      error: "errand/e does not accept errand.other in its present state.",
    });
  });
});

describe("the traces of an instance", () => {
  const clock = defineWorkflow({
    name: "clock",
    version: "1",
    events: { tick: z.object({}) },
    machine: setup({ types: { events: {} as { type: "tick" } } }).createMachine({
      on: { tick: {} },
    }),
  });
  const begin = arrivalFor("start", "clock/c", {
    type: "waybill.start",
    input: {},
    onConflict: "same-input",
    messageId: "m0",
  });
  const tick = (messageId: string) =>
    arrivalFor("event", "clock/c", { type: "tick", payload: {}, messageId });
  const trace = (digit: string) => ({ traceparent: `00-${digit.repeat(32)}-${"1".repeat(16)}-01` });
  const clocks = new Planner([clock]);
  const seen = () => {
    const instance = clocks.instances.get("clock/c") ?? expect.fail("it was not started");
    return viewOf(instance, clocks.registry.find("clock"));
  };
  beforeEach(() => clocks.instances.clear());

  it("are that of its start and that of its last step, whatever lies between", () => {
    clocks.batch([{ ...begin, trace: trace("a") }], { tracer });
    expect(seen()).toMatchObject({ version: 1, traces: ["a".repeat(32)] });
    clocks.batch([{ ...tick("m1"), trace: trace("b") }], { tracer });
    clocks.batch([{ ...tick("m2"), trace: trace("c") }], { tracer });
    expect(seen()).toMatchObject({ version: 3, traces: ["a".repeat(32), "c".repeat(32)] });
    clocks.batch([tick("m3")]);
    expect(seen()).toMatchObject({ version: 4, traces: ["a".repeat(32), "c".repeat(32)] });
  });

  it("are not made up when nobody follows them", () => {
    clocks.batch([begin]);
    clocks.batch([tick("m1")]);
    expect(seen().version).toBe(2);
    expect(seen()).not.toHaveProperty("traces");
  });
});
