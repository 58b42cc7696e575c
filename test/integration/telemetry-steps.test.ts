import { afterEach, beforeEach, expect, test } from "vitest";
import { attempts, errand } from "../support/errand.ts";
import {
  eventually,
  inState,
  type RunningEngine,
  startEngine,
  startWorker,
} from "../support/memory-engine.ts";
import { type RecordedSpan, RecordingTracer } from "../support/recording-tracer.ts";
import { memoryWorld, type World } from "../support/world.ts";

let world: World;
let engine: RunningEngine;
let tracer: RecordingTracer;

beforeEach(async () => {
  world = memoryWorld();
  tracer = new RecordingTracer();
  const retry = { maxAttempts: 3, initial: 20, jitter: 0 };
  engine = await startEngine(world, { workflows: [errand({ local: false, retry })], tracer });
});

afterEach(async () => {
  await engine.stop();
  await world.end();
});

const at = { workflow: "errand", id: "e" };
const named = (name: string) => tracer.ended.filter((span) => span.name === name);
/** The span that a span has as its parent. */
const parentOf = ({ parent }: RecordedSpan) =>
  tracer.spans.find(({ headers }) => headers["traceparent"] === parent["traceparent"]);

test("Each attempt of a queued activity has its span in the worker, under the message that asked for it", async () => {
  const { run } = attempts((_, attempt) => {
    if (attempt === 1) throw new Error("not yet");
    return "ok";
  });
  const worker = await startWorker(world, { errand: { work: run } }, { tracer });
  await engine.client.start({ ...at, input: {} });
  await inState(engine, "errand/e", "done");
  await eventually(() => expect(named("process result")).toHaveLength(2));
  const runs = named("activity errand.work");
  expect(runs).toMatchObject([
    {
      kind: "consumer",
      attributes: { "workflow.activity.attempt": 1 },
      ended: { error: "not yet" },
    },
    { kind: "consumer", attributes: { "workflow.activity.attempt": 2 }, ended: {} },
  ]);
  expect(runs.map((span) => parentOf(span)?.name)).toEqual([
    "send waybill.activity.errand.work",
    "send waybill.activity.errand.work",
  ]);
  expect(named("process result").map(parentOf)).toEqual(runs);
  expect(named("timer fired")).toMatchObject([{ kind: "internal", previous: expect.anything() }]);
  await worker.stop();
});

test("A plan that the store refuses leaves no span, and what replaces it says that the message came twice", async () => {
  await engine.client.start({ ...at, input: {} });
  const call = { ...at, type: "errand.call", payload: {}, idempotencyKey: "m1" };
  await engine.client.send(call);
  await engine.stop();
  engine = await startEngine(world, { workflows: [errand({ local: false })], tracer });
  expect(await engine.client.send(call)).toMatchObject({ outcome: "duplicate" });
  const calls = named("process errand.call");
  expect(calls.map(({ ended }) => ended?.attributes?.["workflow.duplicate"])).toEqual([
    undefined,
    true,
  ]);
  expect(tracer.spans.filter(({ name }) => name === "process errand.call").length).toBe(3);
  const lost = tracer.ended.filter((span) => {
    const parent = parentOf(span);
    return parent !== undefined && parent.ended === undefined;
  });
  expect(lost).toEqual([]);
});
