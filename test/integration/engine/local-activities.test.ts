import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ActivityDefinition } from "../../../src/activity.ts";
import { attempts, errand, untilAborted } from "../../support/errand.ts";
import {
  eventually,
  inState,
  type RunningEngine,
  startEngine,
} from "../../support/memory-engine.ts";
import { memoryWorld, type World } from "../../support/world.ts";

let world: World;
let engine: RunningEngine;

beforeEach(() => {
  world = memoryWorld();
});

afterEach(async () => {
  await engine.stop();
  await world.end();
});

const quick = { maxAttempts: 3, initial: 20, jitter: 0 } as const;

async function begin(definition: ActivityDefinition, options = {}): Promise<void> {
  engine = await startEngine(world, { workflows: [errand(definition, options)] });
  await engine.client.start({ workflow: "errand", id: "e", input: {} });
}

const state = (name: string) => inState(engine, "errand/e", name);
const call = () =>
  engine.client.send({ workflow: "errand", id: "e", type: "errand.call", payload: {} });

describe("a local activity", () => {
  it("gets its input and gives its result, as JSON, to the machine", async () => {
    const { run, seen } = attempts(() => ({ ok: true, gone: undefined }));
    await begin({ run });
    expect(await state("done")).toMatchObject({
      context: { result: { ok: true } },
      activities: [],
    });
    expect(seen).toMatchObject([
      { input: { cents: 5 }, attempt: 1, instance: "errand/e", idempotencyKey: "errand/e/job/1" },
    ]);
    expect(engine.seen("activity")).toMatchObject([{ name: "work", attempt: 1, outcome: "done" }]);
  });

  it("is tried again after a growing pause, under the same idempotency key", async () => {
    const times: number[] = [];
    const { run, seen } = attempts((_, attempt) => {
      times.push(performance.now());
      if (attempt < 3) throw new Error("not yet");
      return attempt;
    });
    await begin({ run, retry: quick });
    await state("done");
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(seen.map(({ idempotencyKey }) => idempotencyKey))).toEqual(
      new Set(["errand/e/job/1"]),
    );
    const [first = 0, second = 0, third = 0] = times;
    expect(second - first).toBeGreaterThanOrEqual(19);
    expect(third - second).toBeGreaterThanOrEqual(39);
  });

  it("fails when its attempts are used up, with the last error", async () => {
    const { run, seen } = attempts((_, attempt) => {
      throw Object.assign(new Error(`no ${attempt}`), { status: 503 });
    });
    await begin({ run, retry: quick });
    expect(await state("failed")).toMatchObject({
      context: { result: { name: "Error", message: "no 3", status: 503 } },
    });
    expect(seen).toHaveLength(3);
  });

  it("fails at once for an error that is not worth another attempt", async () => {
    const { run, seen } = attempts(() => {
      throw Object.assign(new Error("declined"), { name: "CardDeclined" });
    });
    await begin({ run, retry: { ...quick, nonRetryable: ["CardDeclined"] } });
    await state("failed");
    expect(seen).toHaveLength(1);
  });

  it("fails as a whole with what JSON can hold of an error", async () => {
    const { run } = attempts(() => {
      const error = new Error("tangled");
      throw Object.assign(error, { request: { error } });
    });
    await begin({ run, retry: { maxAttempts: 1 } });
    expect(await state("failed")).toMatchObject({
      context: { result: { name: "Error", message: "tangled" } },
    });
  });

  it("is aborted and tried again when an attempt takes too long", async () => {
    const { run, seen } = attempts((args, attempt) => (attempt === 1 ? untilAborted(args) : "ok"));
    await begin({ run, retry: quick, startToClose: 300 });
    await state("done");
    expect(seen[0]?.signal.aborted).toBe(true);
    expect(seen).toHaveLength(2);
  });

  it("is aborted when it gives no sign of life, and lives on while it does", async () => {
    const { run, seen } = attempts(async (args, attempt) => {
      if (attempt === 1) return untilAborted(args);
      for (let beat = 0; beat < 8; beat += 1) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        args.heartbeat();
      }
      return "ok";
    });
    await begin({ run, retry: quick, heartbeat: 600 });
    await state("done");
    expect(seen).toHaveLength(2);
    expect(seen.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  });

  it("is given up when all its attempts together take too long", async () => {
    const { run, seen } = attempts(untilAborted);
    const retry = { maxAttempts: 100, initial: 10, jitter: 0, factor: 1 };
    await begin({ run, retry, startToClose: 50, scheduleToClose: 1_000 });
    const failed = await state("failed");
    expect(failed.context).toMatchObject({ result: { name: "TimeoutError" } });
    // A hundred attempts would take six seconds.
    expect(failed.updatedAt - failed.createdAt).toBeLessThan(4_000);
    expect(seen.length).toBeGreaterThanOrEqual(2);
    expect(seen.length).toBeLessThanOrEqual(20);
  });

  it("is aborted when its state is left, and what it answers then is dropped", async () => {
    const { run, seen } = attempts(untilAborted);
    await begin({ run });
    await eventually(() => expect(seen).toHaveLength(1));
    await call();
    expect(seen[0]?.signal.aborted).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await engine.client.get("errand", "e")).toMatchObject({ state: "called", version: 2 });
    expect(seen).toHaveLength(1);
  });

  it("waits no more for another attempt when its state is left in the pause", async () => {
    const { run, seen } = attempts(() => {
      throw new Error("not yet");
    });
    await begin({ run, retry: { ...quick, initial: 1_500 } });
    await eventually(() => expect(engine.seen("activity")).toHaveLength(1));
    await eventually(async () =>
      expect(await engine.client.get("errand", "e")).toMatchObject({
        activities: [{ attempt: 2 }],
      }),
    );
    await call();
    await new Promise((resolve) => setTimeout(resolve, 1_700));
    expect(seen).toHaveLength(1);
  });

  it("that is called off in the batch in which it was asked for leaves nothing to be done", async () => {
    const { run, seen } = attempts(untilAborted);
    engine = await startEngine(world, { workflows: [errand({ run })] });
    const event = { workflow: "errand", id: "e", type: "errand.call", payload: {} };
    await Promise.all([
      engine.client.startAsync({ workflow: "errand", id: "e", input: {} }),
      new Promise<void>((resolve) => setImmediate(resolve)).then(() =>
        engine.client.sendAsync(event),
      ),
    ]);
    await state("called");
    await eventually(async () => {
      const partitions = await engine.ports.store.partitions();
      expect(partitions.map(({ outboxEntries }) => outboxEntries)).toEqual([0, 0]);
    });
    expect(seen.length).toBeLessThanOrEqual(1);
  });

  it("runs again under the same key when its process dies or stops", async () => {
    const { run, seen } = attempts((args, attempt) => (attempt < 3 ? untilAborted(args) : "ok"));
    const workflows = [errand({ run })];
    engine = await startEngine(world, { workflows });
    await engine.client.start({ workflow: "errand", id: "e", input: {} });
    await eventually(() => expect(seen).toHaveLength(1));
    await engine.stop();
    expect(seen[0]?.signal.aborted).toBe(true);
    engine = await startEngine(world, { workflows });
    await eventually(() => expect(seen).toHaveLength(2));
    await engine.kill();
    world.skip(10_000);
    engine = await startEngine(world, { workflows });
    await state("done");
    expect(seen.map(({ idempotencyKey, attempt }) => [idempotencyKey, attempt])).toEqual(
      Array.from({ length: 3 }, () => ["errand/e/job/1", 1]),
    );
  });

  it("ends the instance with its error when nothing handles it", async () => {
    const { run } = attempts(() => {
      throw new Error("no");
    });
    await begin({ run, retry: { maxAttempts: 1 } }, { unhandled: true });
    const { instance } = await engine.client.wait("errand", "e", { timeoutMs: 2_000 });
    expect(instance).toMatchObject({ status: "error", error: { name: "Error", message: "no" } });
  });

  it("runs the code of the version that its instance runs on", async () => {
    const old = attempts(() => "old");
    const young = attempts(() => "young");
    engine = await startEngine(world, { workflows: [errand({ run: old.run })] });
    await engine.stop();
    engine = await startEngine(world, { workflows: [errand({ run: untilAborted })] });
    await engine.client.start({ workflow: "errand", id: "e", input: {} });
    await engine.stop();
    const workflows = [errand({ run: old.run }), errand({ run: young.run }, { version: "2" })];
    engine = await startEngine(world, { workflows });
    expect(await state("done")).toMatchObject({ definition: "1", context: { result: "old" } });
    expect(young.seen).toEqual([]);
  });
});
