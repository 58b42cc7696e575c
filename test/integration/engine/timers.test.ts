import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cancel, raise, sendTo, setup } from "xstate";
import { z } from "zod";
import type { InstanceView } from "../../../src/engine/client.ts";
import { defineWorkflow } from "../../../src/workflow.ts";
import {
  deadLetter,
  eventually,
  inState,
  type RunningEngine,
  startEngine,
} from "../../support/memory-engine.ts";
import { memoryWorld, type World } from "../../support/world.ts";

const none = z.object({});

const toaster = defineWorkflow({
  name: "toaster",
  version: "1",
  events: { push: none, pop: none, again: none },
  machine: setup({
    types: {
      input: {} as { afterMs: number },
      context: {} as { afterMs: number },
      events: {} as { type: "push" | "pop" | "again" },
    },
    delays: { heat: ({ context }) => context.afterMs },
  }).createMachine({
    context: ({ input }) => input,
    initial: "hot",
    states: {
      idle: { on: { push: "hot" } },
      hot: {
        on: { pop: "idle", again: { target: "hot", reenter: true } },
        after: { heat: "burnt" },
      },
      burnt: { type: "final" },
    },
  }),
});

const bells = defineWorkflow({
  name: "bells",
  version: "1",
  events: { ding: none, hush: none },
  internal: ["ring"],
  machine: setup({
    types: { context: {} as { rung: number }, events: {} as { type: "ding" | "ring" | "hush" } },
  }).createMachine({
    context: { rung: 0 },
    initial: "quiet",
    states: {
      quiet: {
        on: {
          ding: {
            actions: [
              raise({ type: "ring" }, { id: "bell", delay: 60 }),
              sendTo(({ self }) => self, { type: "ring" }, { id: "bell", delay: 120 }),
            ],
          },
          hush: { actions: cancel("bell") },
          ring: { target: "rung" },
        },
      },
      rung: { on: { ring: "twice" } },
      twice: {},
    },
  }),
});

let world: World;
let engine: RunningEngine;

beforeEach(async () => {
  world = memoryWorld();
  engine = await startEngine(world, { workflows: [toaster, bells] });
});

afterEach(async () => {
  await engine.stop();
  await world.end();
});

const heat = (id: string, afterMs: number) =>
  engine.client.start({ workflow: "toaster", id, input: { afterMs } });
const send = (workflow: string, id: string, type: string) =>
  engine.client.send({ workflow, id, type, payload: {} });
const pause = (durationMs: number) => new Promise((resolve) => setTimeout(resolve, durationMs));

describe("a timer", () => {
  it("is shown while it is armed and fires when it is due, never early by the store's clock", async () => {
    const waits = Array.from({ length: 40 }, (_, index) => 1 + index * 7);
    const askedAt = world.now();
    const started = await Promise.all(waits.map((afterMs) => heat(`t${afterMs}`, afterMs)));
    for (const [index, { instance }] of started.entries()) {
      const due = instance.timers[0]?.due ?? 0;
      expect(due).toBeGreaterThanOrEqual(askedAt + (waits[index] ?? 0));
      const { updatedAt } = await inState(engine, `toaster/${instance.id}`, "burnt");
      expect(updatedAt).toBeGreaterThanOrEqual(due);
    }
    const late = engine.seen("timer-fired").map(({ lateMs }) => lateMs);
    expect(late).toHaveLength(waits.length);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(late.toSorted((one, other) => one - other)[20]).toBeLessThan(1_000);
  });

  it("is gone for good when its state is left", async () => {
    const { instance } = await heat("t", 1_000);
    expect(instance.timers).toMatchObject([{ due: expect.any(Number) }]);
    const left = await send("toaster", "t", "pop");
    expect(left).toMatchObject({ instance: { state: "idle", timers: [] } });
    await pause(1_200);
    expect(await engine.client.get("toaster", "t")).toMatchObject({ state: "idle", version: 2 });
    expect(engine.seen("timer-fired")).toEqual([]);
    const [, one] = await Promise.all(
      [0, 1].map((partition) => engine.ports.store.due(partition, 10)),
    );
    expect(one?.nextDue).toBeUndefined();
  });

  it("begins anew when its state is entered anew", async () => {
    await heat("t", 1_500);
    const dueOf = (view: InstanceView | undefined) => view?.timers[0]?.due ?? 0;
    const first = dueOf(await engine.client.get("toaster", "t"));
    await pause(200);
    const again = dueOf((await send("toaster", "t", "again")).instance);
    expect(again).toBeGreaterThanOrEqual(first + 200);
    const { updatedAt } = await inState(engine, "toaster/t", "burnt");
    expect(updatedAt).toBeGreaterThanOrEqual(again);
    expect(engine.seen("timer-fired")).toHaveLength(1);
  });

  it("that came due while nothing ran fires then, the one that was due first before the others", async () => {
    await Promise.all([heat("slow", 600_000), heat("fast", 200_000), heat("late", 900_000)]);
    await engine.stop();
    world.skip(700_000);
    engine = await startEngine(world, { workflows: [toaster, bells], partitions: 2 });
    await inState(engine, "toaster/fast", "burnt");
    await inState(engine, "toaster/slow", "burnt");
    expect(await engine.client.get("toaster", "late")).toMatchObject({ state: "hot" });
  });

  it("that came due while nothing ran keeps the order of dues within a partition", async () => {
    await engine.stop();
    await world.end();
    world = memoryWorld();
    engine = await startEngine(world, { workflows: [toaster], partitions: 1 });
    const ids = [5, 3, 8, 1, 9, 2].map((minutes) => `m${minutes}`);
    await Promise.all(ids.map((id) => heat(id, Number(id.slice(1)) * 60_000)));
    await engine.stop();
    world.skip(3_600_000);
    engine = await startEngine(world, { workflows: [toaster], partitions: 1 });
    await eventually(() => expect(engine.seen("ended")).toHaveLength(6));
    expect(engine.seen("ended").map(({ key }) => key.slice(-2))).toEqual([
      "m1",
      "m2",
      "m3",
      "m5",
      "m8",
      "m9",
    ]);
  });

  it("fires beside another of the same name, and both go when the name is cancelled", async () => {
    await engine.client.start({ workflow: "bells", id: "a", input: {} });
    await engine.client.start({ workflow: "bells", id: "b", input: {} });
    await Promise.all([send("bells", "a", "ding"), send("bells", "b", "ding")]);
    expect((await engine.client.get("bells", "b")).timers).toHaveLength(2);
    expect(await send("bells", "b", "hush")).toMatchObject({ instance: { timers: [] } });
    await inState(engine, "bells/a", "twice");
    expect(await engine.client.get("bells", "b")).toMatchObject({ state: "quiet" });
  });

  it("that is far away needs no more than one wake-up while the store is looked into", async () => {
    const published: unknown[] = [];
    const { transport } = engine.ports;
    const publish = transport.publish.bind(transport);
    transport.publish = (batch) => {
      published.push(...batch.filter(({ delayMs }) => delayMs !== undefined));
      return publish(batch);
    };
    await heat("t", 600_000);
    await pause(2_500);
    expect(published).toHaveLength(1);
  });

  it("whose event is internal cannot be forged", async () => {
    await engine.client.start({ workflow: "bells", id: "a", input: {} });
    await expect(send("bells", "a", "ring")).rejects.toMatchObject({ code: "reserved-type" });
    await engine.client.sendAsync({
      workflow: "bells",
      id: "a",
      type: "ring",
      payload: {},
      idempotencyKey: "forged",
    });
    expect(await deadLetter(engine, "forged")).toMatchObject({ reason: "reserved-type" });
    expect(await engine.client.get("bells", "a")).toMatchObject({ state: "quiet", version: 1 });
  });
});
