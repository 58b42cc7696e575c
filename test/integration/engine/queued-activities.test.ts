import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ActivityDefinition, ActivityRun } from "../../../src/activity.ts";
import { attempts, errand, untilAborted } from "../../support/errand.ts";
import {
  eventually,
  inState,
  type RunningEngine,
  startEngine,
  startWorker,
} from "../../support/memory-engine.ts";
import { memoryWorld, type World } from "../../support/world.ts";

let world: World;
let engine: RunningEngine;
const workers: Awaited<ReturnType<typeof startWorker>>[] = [];

beforeEach(() => {
  world = memoryWorld();
});

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  await engine.stop();
  await world.end();
});

const quick = { maxAttempts: 3, initial: 20, jitter: 0 } as const;

async function begin(definition: ActivityDefinition): Promise<void> {
  const workflows = [errand({ local: false, retry: quick, ...definition })];
  engine = await startEngine(world, { workflows });
  await engine.client.start({ workflow: "errand", id: "e", input: {} });
}

async function work(run: ActivityRun, concurrency = 10) {
  const worker = await startWorker(world, { errand: { work: run } }, { concurrency });
  workers.push(worker);
  return worker;
}

const state = (name: string) => inState(engine, "errand/e", name);
const timersLeft = async () => {
  const partitions = await engine.ports.store.partitions();
  return partitions.reduce((sum, { timers }) => sum + timers, 0);
};

describe("a queued activity", () => {
  it("is run by a worker that knows no machine, and its result goes to the machine", async () => {
    const { run, seen } = attempts(() => ({ ok: true }));
    await begin({});
    await work(run);
    expect(await state("done")).toMatchObject({ context: { result: { ok: true } } });
    expect(seen).toMatchObject([
      { input: { cents: 5 }, attempt: 1, instance: "errand/e", idempotencyKey: "errand/e/job/1" },
    ]);
    expect(await timersLeft()).toBe(0);
  });

  it("waits for a worker as long as none is there", async () => {
    await begin({ startToClose: 50 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await engine.client.get("errand", "e")).toMatchObject({
      state: "working",
      activities: [{ attempt: 1 }],
    });
    await work(() => "ok");
    await state("done");
  });

  it("is tried again when it fails, and given up when its attempts are used up", async () => {
    const { run, seen } = attempts((_, attempt) => {
      throw new Error(`no ${attempt}`);
    });
    await begin({});
    await work(run);
    expect(await state("failed")).toMatchObject({ context: { result: { message: "no 3" } } });
    expect(seen.map(({ attempt, idempotencyKey }) => [attempt, idempotencyKey])).toEqual([
      [1, "errand/e/job/1"],
      [2, "errand/e/job/1"],
      [3, "errand/e/job/1"],
    ]);
    expect(await timersLeft()).toBe(0);
  });

  it("is tried again by another worker when the first one dies", async () => {
    const { run, seen } = attempts((args, attempt) => (attempt === 1 ? untilAborted(args) : "ok"));
    await begin({ heartbeat: 100 });
    const first = await work(run);
    await eventually(() => expect(seen).toHaveLength(1));
    await first.kill();
    workers.length = 0;
    await work(run);
    await state("done");
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it("is acknowledged as soon as its lease holds, not when it has ended", async () => {
    const { run, seen } = attempts(untilAborted);
    await begin({});
    const worker = await work(run, 1);
    await eventually(() => expect(seen).toHaveLength(1));
    await engine.client.start({ workflow: "errand", id: "f", input: {} });
    await eventually(() => expect(seen).toHaveLength(2));
    await worker.kill();
    workers.length = 0;
  });

  it("learns from its next heartbeat that nobody wants its result any more", async () => {
    const { run, seen } = attempts(async ({ signal, heartbeat }) => {
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        if (signal.aborted) throw new Error("aborted");
        heartbeat();
      }
    });
    await begin({ heartbeat: 500 });
    await work(run);
    await eventually(() => expect(seen).toHaveLength(1));
    await engine.client.send({ workflow: "errand", id: "e", type: "errand.call", payload: {} });
    await eventually(() => expect(seen[0]?.signal.aborted).toBe(true));
    expect(await timersLeft()).toBe(0);
    expect(await engine.client.get("errand", "e")).toMatchObject({ state: "called", version: 2 });
  });

  it("that was called off before a worker came is not run", async () => {
    const { run, seen } = attempts(() => "ok");
    await begin({});
    await engine.client.send({ workflow: "errand", id: "e", type: "errand.call", payload: {} });
    await work(run);
    await engine.client.start({ workflow: "errand", id: "f", input: {} });
    await inState(engine, "errand/f", "done");
    expect(seen.map(({ instance }) => instance)).toEqual(["errand/f"]);
  });

  it("is given up when all its attempts together take too long, though no worker came", async () => {
    await begin({ scheduleToClose: 100 });
    expect(await state("failed")).toMatchObject({ context: { result: { name: "TimeoutError" } } });
    expect(await timersLeft()).toBe(0);
  });

  it("is given up by its worker when the code ignores its limits", async () => {
    const { run, seen } = attempts(() => new Promise((resolve) => setTimeout(resolve, 500)));
    await begin({ heartbeat: 60 });
    await work(run);
    expect(await state("failed")).toMatchObject({ context: { result: { name: "TimeoutError" } } });
    expect(seen.map(({ signal }) => signal.aborted)).toEqual([true, true, true]);
  });

  it("with a broken task is dropped, and the worker goes on", async () => {
    const { run, seen } = attempts(() => "ok");
    await begin({});
    const insider = await world.connect("waybill");
    const broken = ["", "null", "[]", "{", '{"key":5}', '{"key":"errand/e","activity":"work"}'];
    await insider.publish(
      broken.map((body) => ({
        exchange: "",
        routingKey: "waybill.activity.errand.work",
        message: { type: "waybill.activity", body },
      })),
    );
    await work(run);
    await state("done");
    await eventually(async () =>
      expect(await insider.depth("waybill.activity.errand.work")).toBe(0),
    );
    expect(seen).toHaveLength(1);
  });

  it("without the engine's user is no task: a worker drops it", async () => {
    const { run, seen } = attempts(() => "ok");
    await begin({});
    await engine.client.send({ workflow: "errand", id: "e", type: "errand.call", payload: {} });
    await work(run);
    const outsider = await world.connect("shop");
    const message = { type: "waybill.activity", body: '{"key":"errand/e"}' };
    await outsider.publish([{ exchange: "", routingKey: "waybill.activity.errand.work", message }]);
    await eventually(async () =>
      expect(await outsider.depth("waybill.activity.errand.work")).toBe(0),
    );
    expect(seen).toEqual([]);
  });
});
