import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attempts, errand } from "../../support/errand.ts";
import { eventually, type RunningEngine, startEngine } from "../../support/memory-engine.ts";
import { memoryWorld, type World } from "../../support/world.ts";

let world: World;
let engine: RunningEngine;
let isOpen = false;
/** Runs until the gate is open. */
const work = attempts(async ({ signal }) => {
  while (!isOpen && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
  return "worked";
});
const workflow = errand({ run: work.run });

beforeEach(async () => {
  isOpen = false;
  work.seen.length = 0;
  world = memoryWorld({ speed: 20 });
  engine = await startEngine(world, { workflows: [workflow] });
  await engine.client.start({ workflow: "errand", id: "a", input: {} });
  await running(1);
});
afterEach(async () => {
  isOpen = true;
  await engine.stop();
});

function running(times: number): Promise<void> {
  return eventually(() => expect(work.seen.length).toBeGreaterThanOrEqual(times));
}

async function next(end: "stop" | "kill"): Promise<void> {
  await engine[end]();
  engine = await startEngine(world, { workflows: [workflow] });
}

function outcome() {
  return eventually(async () => {
    const { state, context } = await engine.client.get("errand", "a");
    expect(state).not.toBe("working");
    return { state, ...(context as { result: unknown }) };
  });
}

describe("a local activity that its owner has left", () => {
  it("runs again, however often it is handed over", async () => {
    for (let owners = 2; owners <= 6; owners += 1) {
      await next("stop");
      await running(owners);
    }
    isOpen = true;
    expect(await outcome()).toEqual({ state: "done", result: "worked" });
    expect(work.seen.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it("runs again after two deaths that it may have caused, and one that it cannot have caused", async () => {
    for (let owners = 2; owners <= 4; owners += 1) {
      await next("kill");
      await running(owners);
    }
    isOpen = true;
    expect(await outcome()).toEqual({ state: "done", result: "worked" });
  });

  it("fails when it may have ended three owners, and an operator is told so", async () => {
    for (let owners = 2; owners <= 4; owners += 1) {
      await next("kill");
      await running(owners);
    }
    await next("kill");
    const message = "3 processes have ended while they ran it";
    const result = { name: "ProcessEnded", message, retryable: false };
    expect(await outcome()).toEqual({ state: "failed", result });
    expect(work.seen).toHaveLength(4);
    expect(engine.seen("trouble").map((one) => one.message)).toContain(
      `errand/a: the activity job fails, since ${message}`,
    );
  });

  it("is forgotten when it was called off while it waited to be tried alone", async () => {
    await next("kill");
    await running(2);
    await next("kill");
    await engine.client.send({ workflow: "errand", id: "a", type: "errand.call", payload: {} });
    expect(await outcome()).toMatchObject({ state: "called" });
    await eventually(async () => {
      const status = await engine.ports.store.partitions();
      expect(status.map(({ outboxEntries }) => outboxEntries)).toEqual([0, 0]);
    });
    // Longer than it rests.
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(work.seen).toHaveLength(2);
    const status = await engine.ports.store.partitions();
    expect(status.map(({ outboxEntries }) => outboxEntries)).toEqual([0, 0]);
  });
});
