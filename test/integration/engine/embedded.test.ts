import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { diary } from "../../support/diary.ts";
import { attempts, errand } from "../../support/errand.ts";
import {
  deadLetter,
  eventually,
  inState,
  type RunningEngine,
  startEngine,
  startWorker,
} from "../../support/memory-engine.ts";
import { tally } from "../../support/tally.ts";
import { embeddedWorld, outsider } from "../../support/world.ts";

let world: Awaited<ReturnType<typeof embeddedWorld>>;
let engine: RunningEngine;
const { run, seen } = attempts((_, attempt) => {
  if (attempt === 1) throw new Error("not yet");
  return "ok";
});
const retry = { initial: "1m", jitter: 0 } as const;
const workflows = [diary, tally, errand({ run, retry })];

beforeEach(async () => {
  seen.length = 0;
  world = await embeddedWorld();
  engine = await startEngine(world, { workflows });
});

afterEach(async () => {
  await engine.stop();
  await world.end();
});

type Ending = "stop" | "kill";

async function restart(how: Ending, more = workflows): Promise<void> {
  await engine[how]();
  await world.restart();
  // A killed owner's leases have to run out first.
  world.skip(10_000);
  engine = await startEngine(world, { workflows: more });
}

const event = (type: string, payload = {}) => ({ workflow: "diary", id: "d", type, payload });

describe.each(["stop", "kill"] as const)("an embedded engine after a %s", (how) => {
  it("goes on with its deferred events", async () => {
    await engine.client.start({ workflow: "diary", id: "d", input: {} });
    for (const text of ["a", "b"]) await engine.client.sendAsync(event("diary.note", { text }));
    await eventually(async () =>
      expect(await engine.client.get("diary", "d")).toMatchObject({ waiting: 2 }),
    );
    await restart(how);
    const { instance } = await engine.client.send(event("diary.open"));
    expect(instance).toMatchObject({ version: 4, context: { notes: ["a", "b"] } });
  });

  it("goes on with events that wait for their instance", async () => {
    await engine.client.sendAsync(event("diary.open"));
    await eventually(() => expect(engine.seen("set-aside")).toHaveLength(1));
    await restart(how);
    await engine.client.start({ workflow: "diary", id: "d", input: {} });
    await inState(engine, "diary/d", "open");
    await engine.client.sendAsync({ ...event("diary.shut"), id: "never", idempotencyKey: "m1" });
    await eventually(() => expect(engine.seen("set-aside").length).toBeGreaterThan(0));
    await restart(how);
    world.skip(3_600_000);
    expect(await deadLetter(engine, "m1")).toMatchObject({ reason: "missing-instance" });
  });

  it("takes up what waits in the queues, in order, and publishes what it owes", async () => {
    await engine.client.start({ workflow: "tally", id: "t", input: {} });
    const sent = Array.from({ length: 200 }, (_, number) =>
      engine.client.sendAsync({
        workflow: "tally",
        id: "t",
        type: "tally.add",
        payload: { number },
      }),
    );
    await Promise.all(sent);
    await restart(how);
    const published = await (await outsider(world)).gather("tally.added");
    await eventually(async () =>
      expect(await engine.client.get("tally", "t")).toMatchObject({
        context: { numbers: sent.map((_, number) => number) },
      }),
    );
    const applied = engine.seen("applied").length;
    await eventually(() => expect(published.length).toBeGreaterThanOrEqual(applied));
  });

  it("goes on with the pause before the next attempt of an activity", async () => {
    await engine.client.start({ workflow: "errand", id: "e", input: {} });
    await eventually(async () =>
      expect(await engine.client.get("errand", "e")).toMatchObject({
        activities: [{ attempt: 2 }],
      }),
    );
    await restart(how);
    expect(seen).toHaveLength(1);
    world.skip(60_000);
    await inState(engine, "errand/e", "done");
    expect(seen.map(({ idempotencyKey }) => idempotencyKey)).toEqual([
      "errand/e/job/1",
      "errand/e/job/1",
    ]);
  });

  it("still has the tasks of queued activities", async () => {
    const queued = [errand({ local: false })];
    await restart("stop", queued);
    await engine.client.start({ workflow: "errand", id: "e", input: {} });
    await restart(how, queued);
    const worker = await startWorker(world, { errand: { work: () => "ok" } });
    await inState(engine, "errand/e", "done");
    await worker.stop();
  });
});
