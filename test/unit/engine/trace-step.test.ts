import { beforeEach, describe, expect, it } from "vitest";
import { endSpans } from "../../../src/engine/plan/trace-step.ts";
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
