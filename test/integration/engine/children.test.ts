import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assign, sendParent, sendTo, setup } from "xstate";
import { z } from "zod";
import { defineWorkflow } from "../../../src/workflow.ts";
import {
  eventually,
  inState,
  type RunningEngine,
  startEngine,
} from "../../support/memory-engine.ts";
import { memoryWorld, type World } from "../../support/world.ts";

const none = z.object({});

const child = setup({
  types: {
    input: {} as { how: string },
    context: {} as { how: string },
    events: {} as { type: "finish" | "report" | "stumble" },
    output: {} as { how: string },
  },
  guards: {
    stumbles: () => {
      throw new Error("fell");
    },
  },
}).createMachine({
  context: ({ input }) => {
    if (input.how === "not at all") throw new Error("cannot start");
    return input;
  },
  initial: "busy",
  states: {
    busy: {
      on: {
        finish: "finished",
        report: { actions: sendParent({ type: "progress" }) },
        stumble: { guard: "stumbles", target: "finished" },
      },
      after: { 60_000: "finished" },
    },
    finished: { type: "final" },
  },
  output: ({ context }) => ({ how: context.how }),
});

const parent = defineWorkflow({
  name: "parent",
  version: "1",
  events: { tell: none, late: none, leave: none },
  internal: ["progress"],
  machine: setup({
    types: {
      input: {} as { how: string },
      context: {} as { how: string; result: unknown; reports: number },
      events: {} as { type: "tell" | "late" | "leave" | "progress" },
    },
    actors: { child },
  }).createMachine({
    context: ({ input }) => ({ how: input.how, result: null, reports: 0 }),
    initial: "caring",
    states: {
      caring: {
        invoke: {
          id: "kid",
          src: "child",
          input: ({ context }) => ({ how: context.how }),
          onDone: { target: "proud", actions: assign({ result: ({ event }) => event.output }) },
          onError: { target: "sad", actions: assign({ result: ({ event }) => event.error }) },
        },
        on: {
          tell: { actions: [sendTo("kid", { type: "report" }), sendTo("kid", { type: "finish" })] },
          late: { actions: sendTo("kid", { type: "finish" }, { id: "late", delay: 80 }) },
          leave: "alone",
          progress: { actions: assign({ reports: ({ context }) => context.reports + 1 }) },
        },
      },
      proud: {},
      sad: {},
      alone: {},
    },
  }),
});

let world: World;
let engine: RunningEngine;

beforeEach(async () => {
  world = memoryWorld();
  engine = await startEngine(world, { workflows: [parent] });
});

afterEach(async () => {
  await engine.stop();
  await world.end();
});

const ids = ["a", "b", "c", "d"];
const childKey = (id: string) => `parent.child/${id}:kid:1`;
const send = (id: string, type: string) =>
  engine.client.send({ workflow: "parent", id, type, payload: {} });
async function start(how = "well"): Promise<void> {
  for (const id of ids) await engine.client.start({ workflow: "parent", id, input: { how } });
  if (how === "well") for (const id of ids) await inState(engine, childKey(id), "busy");
}

// Several instances, so that some children live in the partition of their parent and some in the other one.
describe("a child workflow", () => {
  it("is an instance of its own, named after its parent", async () => {
    await start();
    const { items } = await engine.client.list({ workflow: "parent.child" });
    expect(items.map(({ id }) => id).toSorted()).toEqual(ids.map((id) => `${id}:kid:1`));
  });

  it("takes what its parent sends, in order, and gives its reports and its result back", async () => {
    await start();
    for (const id of ids) await send(id, "tell");
    for (const id of ids) {
      const { context } = await inState(engine, `parent/${id}`, "proud");
      expect(context).toMatchObject({ result: { how: "well" }, reports: 1 });
    }
  });

  it("takes what its parent sends with a delay when that has passed", async () => {
    await start();
    for (const id of ids) await send(id, "late");
    const sent = await engine.client.get("parent", "a");
    const { updatedAt } = await inState(engine, "parent/a", "proud");
    expect(updatedAt - sent.updatedAt).toBeGreaterThanOrEqual(79);
    for (const id of ids) await inState(engine, `parent/${id}`, "proud");
  });

  it("that cannot start is an error to its parent", async () => {
    await start("not at all");
    for (const id of ids) {
      const { context } = await inState(engine, `parent/${id}`, "sad");
      expect(context).toMatchObject({
        result: { code: "event-threw", message: expect.stringContaining("cannot start") },
      });
    }
  });

  it("is stopped when its parent leaves the state that wants it, and its timers with it", async () => {
    await start();
    for (const id of ids) await send(id, "leave");
    for (const id of ids) {
      await eventually(async () =>
        expect(await engine.client.get("parent.child", `${id}:kid:1`)).toMatchObject({
          status: "stopped",
          timers: [],
        }),
      );
    }
    const partitions = await engine.ports.store.partitions();
    const timers = partitions.reduce((sum, partition) => sum + partition.timers, 0);
    // One for each child that has ended: the end of its retention.
    expect(timers).toBe(ids.length);
  });

  it("that fails is kept for an operator, like any other instance", async () => {
    await start();
    await engine.client.sendAsync({
      workflow: "parent.child",
      id: "a:kid:1",
      type: "stumble",
      payload: {},
    });
    await eventually(async () =>
      expect(await engine.client.get("parent.child", "a:kid:1")).toMatchObject({
        status: "failed",
      }),
    );
    expect(await engine.client.get("parent", "a")).toMatchObject({ state: "caring" });
  });

  it("goes on with its parent after a restart in the middle of what they say to each other", async () => {
    await start();
    await Promise.all(
      ids.map((id) =>
        engine.client.sendAsync({ workflow: "parent", id, type: "tell", payload: {} }),
      ),
    );
    await engine.kill();
    world.skip(10_000);
    engine = await startEngine(world, { workflows: [parent] });
    for (const id of ids) {
      const { context } = await inState(engine, `parent/${id}`, "proud");
      expect(context).toMatchObject({ reports: 1 });
    }
  });
});
