import { afterEach, beforeEach, expect, it } from "vitest";
import { diary } from "../../support/diary.ts";
import { inState, type RunningEngine, startEngine } from "../../support/memory-engine.ts";
import { memoryWorld, type World } from "../../support/world.ts";

let world: World;
let engine: RunningEngine;

beforeEach(async () => {
  world = memoryWorld();
  const workflows = [{ ...diary, history: false, indexed: false }];
  engine = await startEngine(world, { workflows });
});

afterEach(async () => {
  await engine.stop();
  await world.end();
});

it("is found by id and among all, without a history, and by no filter", async () => {
  const { client } = engine;
  await client.start({ workflow: "diary", id: "d", input: {} });
  await client.send({ workflow: "diary", id: "d", type: "diary.open", payload: {} });
  await inState(engine, "diary/d", "open");
  expect(await client.history("diary", "d")).toEqual([]);
  expect((await client.list({ workflow: "diary" })).items).toMatchObject([{ id: "d" }]);
  for (const filter of [{ status: "active" as const }, { state: "open" }]) {
    expect((await client.list({ workflow: "diary", ...filter })).items).toEqual([]);
  }
});
