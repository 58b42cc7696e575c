import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assign, setup } from "xstate";
import { z } from "zod";
import { defineWorkflow } from "../../../src/workflow.ts";
import {
  deadLetter,
  deadLetters,
  eventually,
  inState,
  type RunningEngine,
  startEngine,
} from "../../support/memory-engine.ts";
import { embeddedWorld, memoryWorld } from "../../support/world.ts";

/** Whether the guard of the kiln throws: the code before and after somebody has mended it. */
const code = { broken: true };

const pot = z.object({ name: z.string() });

const kilnMachine = setup({
  types: {
    context: {} as { readonly pots: readonly string[] },
    events: {} as { type: "kiln.add" | "kiln.fire"; name: string } | { type: "kiln.shut" },
  },
  actions: {
    write: assign({
      pots: ({ context, event }) => ("name" in event ? [...context.pots, event.name] : []),
    }),
  },
  guards: {
    safe: () => {
      if (code.broken) throw new Error("no thermometer");
      return true;
    },
  },
}).createMachine({
  context: { pots: [] },
  initial: "open",
  states: {
    open: {
      on: {
        "kiln.add": { actions: "write" },
        "kiln.fire": { guard: "safe", actions: "write" },
        "kiln.shut": "shut",
      },
      after: { 60_000: "cold" },
    },
    cold: {},
    shut: { type: "final" },
  },
});

const kiln = defineWorkflow({
  name: "kiln",
  version: "1",
  events: { "kiln.add": pot, "kiln.fire": pot, "kiln.shut": z.object({}) },
  machine: kilnMachine,
});

const studio = defineWorkflow({
  name: "studio",
  version: "1",
  events: {},
  machine: setup({
    actors: { kiln: kilnMachine },
    actions: { note: assign({ error: ({ event }) => ("error" in event ? event.error : null) }) },
  }).createMachine({
    context: {},
    initial: "firing",
    states: {
      firing: {
        invoke: {
          id: "k",
          src: "kiln",
          onDone: "done",
          onError: { target: "spoilt", actions: "note" },
        },
      },
      done: { type: "final" },
      spoilt: { type: "final" },
    },
  }),
});

let world: Awaited<ReturnType<typeof embeddedWorld>> | ReturnType<typeof memoryWorld>;
let engine: RunningEngine;

const workflows = [kiln, studio];
const k = { workflow: "kiln", id: "k" };
const start = () => engine.client.start({ ...k, input: {} });
const send = (type: string, name: string) =>
  engine.client.sendAsync({ ...k, type, payload: { name }, idempotencyKey: name });
const get = () => engine.client.get("kiln", "k");
const types = async () => (await engine.client.history("kiln", "k")).map(({ type }) => type);

describe.each([
  ["in memory", async () => memoryWorld()],
  ["embedded", embeddedWorld],
] as const)("an operator, %s,", (_where, open) => {
  beforeEach(async () => {
    code.broken = true;
    world = await open();
    engine = await startEngine(world, { workflows });
    await start();
  });

  afterEach(async () => {
    await engine.stop();
    await world.end();
  });

  /** The kiln has failed on the pot "a"; "b" waits behind it. */
  async function failed() {
    await send("kiln.fire", "a");
    await send("kiln.add", "b");
    await eventually(async () =>
      expect(await get()).toMatchObject({ status: "failed", waiting: 2 }),
    );
    return deadLetter(engine, "a");
  }

  it("retries a failed instance once its code is mended: what was held is played in order", async () => {
    const letter = await failed();
    expect(letter).toMatchObject({ reason: "poison", key: "kiln/k", redrives: 0 });
    code.broken = false;
    const instance = await engine.client.retry({ ...k, idempotencyKey: "r1" });
    expect(instance).toMatchObject({
      status: "active",
      version: 4,
      waiting: 0,
      context: { pots: ["a", "b"] },
      accepts: ["kiln.add", "kiln.fire", "kiln.shut"],
    });
    expect(await types()).toEqual(["waybill.start", "waybill.retry", "kiln.fire", "kiln.add"]);
    expect(await deadLetters(engine)).toEqual([]);
    expect(await engine.client.retry({ ...k, idempotencyKey: "r1" })).toMatchObject({ version: 4 });
    await expect(engine.client.retry(k)).rejects.toMatchObject({ code: "not-failed" });
  });

  it("sees it fail again as long as the event throws, with everything still in line", async () => {
    await failed();
    const instance = await engine.client.retry(k);
    expect(instance).toMatchObject({ status: "failed", version: 2, waiting: 2, accepts: [] });
    expect(await deadLetters(engine)).toMatchObject([{ messageId: "a", reason: "poison" }]);
    code.broken = false;
    await engine.client.retry(k);
    expect(await get()).toMatchObject({ context: { pots: ["a", "b"] } });
  });

  it("drops the event that an instance has failed on, and goes on without it", async () => {
    const { id } = await failed();
    await expect(engine.client.redriveDeadLetter(id)).rejects.toMatchObject({ code: "held" });
    await engine.client.dropDeadLetter(id);
    expect(await get()).toMatchObject({ status: "failed", waiting: 1 });
    expect(await engine.client.retry(k)).toMatchObject({ context: { pots: ["b"] } });
    const history = await engine.client.history("kiln", "k");
    expect(history).toMatchObject([
      { type: "waybill.start" },
      { type: "waybill.drop", payload: { type: "kiln.fire", messageId: "a" } },
      { type: "waybill.retry" },
      { type: "kiln.add" },
    ]);
    await expect(engine.client.dropDeadLetter(id)).rejects.toMatchObject({
      code: "unknown-dead-letter",
    });
  });

  it("suspends an instance, which holds events and timers in order, and resumes it", async () => {
    const suspended = await engine.client.suspend({ ...k, idempotencyKey: "s1" });
    expect(suspended).toMatchObject({ status: "suspended", version: 2, accepts: [] });
    await expect(engine.client.suspend(k)).rejects.toMatchObject({ code: "suspended" });
    await send("kiln.add", "a");
    expect(
      await engine.client.send({ ...k, type: "kiln.add", payload: { name: "b" } }),
    ).toMatchObject({ outcome: "held" });
    world.skip(61_000);
    await eventually(async () => expect(await get()).toMatchObject({ waiting: 3 }));
    const resumed = await engine.client.resume(k);
    expect(resumed).toMatchObject({
      status: "active",
      state: "cold",
      context: { pots: ["a", "b"] },
    });
    expect(await types()).toEqual([
      "waybill.start",
      "waybill.suspend",
      "waybill.resume",
      "kiln.add",
      "kiln.add",
      "xstate.after.60000.(machine).open",
    ]);
    await expect(engine.client.resume(k)).rejects.toMatchObject({ code: "not-suspended" });
  });

  it("sets aside what was held for an instance that ended before its turn", async () => {
    await engine.client.suspend(k);
    await engine.client.send({ ...k, type: "kiln.shut", payload: {} });
    await send("kiln.add", "late");
    expect(await engine.client.resume(k)).toMatchObject({ status: "done", waiting: 0 });
    expect(await deadLetter(engine, "late")).toMatchObject({ reason: "ended" });
  });

  it("terminates an instance, and what it held becomes dead letters", async () => {
    await failed();
    const instance = await engine.client.terminate(k);
    expect(instance).toMatchObject({ status: "stopped", version: 2, waiting: 0, timers: [] });
    expect(await types()).toEqual(["waybill.start", "waybill.terminate"]);
    const letters = await deadLetters(engine);
    expect(new Set(letters.map(({ messageId }) => messageId))).toEqual(new Set(["a", "b"]));
    expect(letters.map(({ reason }) => reason)).toEqual(["ended", "ended"]);
    for (const action of ["terminate", "suspend", "resume", "retry"] as const) {
      await expect(engine.client[action](k)).rejects.toMatchObject({ code: "ended" });
    }
  });

  it("is told of what is not there", async () => {
    const nobody = { workflow: "kiln", id: "nobody" };
    await expect(engine.client.retry(nobody)).rejects.toMatchObject({ code: "unknown-instance" });
    await expect(engine.client.redriveDeadLetter("0-nope")).rejects.toMatchObject({
      code: "unknown-dead-letter",
    });
  });

  it("terminates a child, and its parent is told of an error", async () => {
    await engine.client.start({ workflow: "studio", id: "s", input: {} });
    const child = { workflow: "studio.kiln", id: "s:k:1" };
    await eventually(() => engine.client.get(child.workflow, child.id));
    await engine.client.terminate(child);
    expect(await inState(engine, "studio/s", "spoilt")).toMatchObject({
      context: {
        error: { name: "Terminated", message: expect.stringContaining("studio.kiln/s:k:1") },
      },
    });
  });
});

describe("an operator after a restart with mended code", () => {
  it("finds the failed instance as it was, and retries it", async () => {
    code.broken = true;
    const embedded = await embeddedWorld();
    world = embedded;
    engine = await startEngine(world, { workflows });
    await start();
    await send("kiln.fire", "a");
    await send("kiln.add", "b");
    await deadLetter(engine, "a");
    await eventually(async () => expect(await get()).toMatchObject({ waiting: 2 }));
    await engine.kill();
    await embedded.restart();
    world.skip(10_000);
    code.broken = false;
    engine = await startEngine(world, { workflows });
    expect(await get()).toMatchObject({ status: "failed", waiting: 2 });
    await eventually(() => engine.client.retry({ ...k, idempotencyKey: "r1" }));
    expect(await get()).toMatchObject({ status: "active", context: { pots: ["a", "b"] } });
    expect(await deadLetters(engine)).toEqual([]);
    await engine.stop();
    await world.end();
  });
});
