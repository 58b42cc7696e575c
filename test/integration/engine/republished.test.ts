import { afterEach, beforeEach, expect, test } from "vitest";
import { emit, setup } from "xstate";
import { activity } from "../../../src/activity.ts";
import type { OutboxContent } from "../../../src/engine/wire.ts";
import { defineWorkflow } from "../../../src/workflow.ts";
import { Owner } from "../../contracts/store-lab.ts";
import { eventually, type RunningEngine, startEngine } from "../../support/memory-engine.ts";
import { RecordingTracer } from "../../support/recording-tracer.ts";
import { memoryWorld, outsider, type World } from "../../support/world.ts";

const bell = defineWorkflow({
  name: "bell",
  version: "1",
  events: {},
  machine: setup({ actors: { ring: activity({ run: () => "ding" }) } }).createMachine({
    entry: emit({ type: "bell.rung" }),
    invoke: { id: "ringing", src: "ring" },
  }),
});
const trace = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };
const mark = "x-waybill-republished";

let world: World;
let engine: RunningEngine | undefined;

beforeEach(() => {
  world = memoryWorld();
});

afterEach(async () => {
  await engine?.stop();
  await world.end();
});

/** What an owner has promised and did not live to see delivered. */
async function leaveBehind(entries: readonly OutboxContent[]): Promise<void> {
  const store = world.store();
  await store.open({ partitions: 1 });
  const owner = await Owner.of(store, 0);
  const outboxAdded = entries.map((entry, index) => ({
    seq: index + 1,
    entry: JSON.stringify(entry),
  }));
  await store.commit(owner.commitOf({ outboxAdded }));
  await store.release(0, owner.epoch);
}

const rung: OutboxContent = {
  kind: "publish",
  outgoing: {
    exchange: "events",
    routingKey: "bell.rung",
    message: { id: "bell/old/1/1", type: "bell.rung", body: "{}", headers: trace },
  },
};
const started: OutboxContent = {
  kind: "publish",
  outgoing: {
    exchange: "",
    routingKey: "waybill.p.0",
    message: {
      id: "start-1",
      type: "waybill.start",
      body: "{}",
      headers: { ...trace, "x-waybill-instance": "bell/new" },
    },
  },
};
const run: OutboxContent = {
  kind: "run",
  trace,
  task: {
    key: "bell/old",
    activity: "ringing",
    generation: 1,
    source: "ring",
    definition: "1",
    attempt: 1,
    input: null,
  },
};

test("What a claim publishes again has the same id, and says in its header and in its spans that it may be there twice", async () => {
  const tracer = new RecordingTracer();
  const heard = await (await outsider(world)).gather("bell.#");
  await leaveBehind([rung, started, run]);
  engine = await startEngine(world, { workflows: [bell], partitions: 1, tracer });
  await eventually(() => expect(heard).toHaveLength(2));
  const [again, first] = heard;
  const sends = tracer.ended.filter(({ name }) => name === "send waybill.events:bell.rung");

  expect(again).toMatchObject({ id: "bell/old/1/1", headers: { [mark]: "1" } });
  expect(again?.headers?.["traceparent"]).toBe(sends[0]?.headers["traceparent"]);
  expect(sends[0]).toMatchObject({ parent: trace, attributes: { "workflow.republished": true } });

  // Nobody else can have had what the partition sends to itself, and what that leads to is new.
  expect(first?.id).toBe("bell/new/1/1");
  expect(first?.headers).not.toHaveProperty(mark);
  expect(sends[1]?.attributes).not.toHaveProperty("workflow.republished");
  const steps = tracer.ended.filter(({ name }) => name === "process waybill.start");
  expect(steps).toHaveLength(1);
  expect(steps[0]?.attributes).not.toHaveProperty("workflow.republished");

  const runs = () => tracer.ended.filter(({ name }) => name === "activity bell.ring");
  await eventually(() => expect(runs()).toHaveLength(2));
  const marks = runs().map(({ attributes }) => [
    attributes["workflow.instance.id"],
    attributes["workflow.republished"],
  ]);
  expect(Object.fromEntries(marks)).toEqual({ old: true, new: undefined });
});
