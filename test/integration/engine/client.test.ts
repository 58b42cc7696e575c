import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assign, emit, setup } from "xstate";
import { z } from "zod";
import { activity } from "../../../src/activity.ts";
import { defineWorkflow } from "../../../src/workflow.ts";
import {
  eventually,
  type RunningEngine,
  startClient,
  startEngine,
} from "../../support/memory-engine.ts";
import { memoryWorld, type World } from "../../support/world.ts";

const none = z.object({});
const rung: string[] = [];

const trip = defineWorkflow({
  name: "trip",
  version: "1",
  input: z.object({ to: z.string() }),
  events: { board: none, arrive: none, lose: none },
  attributes: ({ to }) => ({ to }),
  machine: setup({
    types: {
      input: {} as { to: string },
      context: {} as { to: string },
      events: {} as { type: "board" | "arrive" | "lose" },
      output: {} as { to: string },
    },
    actors: { checkIn: activity({ run: () => new Promise(() => {}) }) },
    actions: {
      ring: ({ context }) => {
        rung.push(context.to);
      },
      crash: () => {
        throw new Error("no bell");
      },
    },
  }).createMachine({
    context: ({ input }) => input,
    initial: "home",
    states: {
      home: { tags: "ground", on: { board: "away", lose: { actions: "crash" } } },
      away: {
        tags: "air",
        entry: [emit({ type: "trip.left" }), "ring"],
        initial: "flying",
        invoke: { id: "checkIn", src: "checkIn", input: { seat: 5 } },
        on: { arrive: "there" },
        states: { flying: { after: { 600_000: "#late" } } },
      },
      late: { id: "late", entry: assign({ to: "nowhere" }) },
      there: { type: "final" },
    },
    output: ({ context }) => ({ to: context.to }),
  }),
});

let world: World;
let engine: RunningEngine;

beforeEach(async () => {
  rung.length = 0;
  world = memoryWorld();
  engine = await startEngine(world, { workflows: [trip] });
});

afterEach(async () => {
  await engine.stop();
  await world.end();
});

const start = (id: string, to = "Rome") =>
  engine.client.start({ workflow: "trip", id, input: { to } });
const event = (type: string, id = "t") => ({ workflow: "trip", id, type, payload: {} });
const send = (type: string, id = "t") => engine.client.send(event(type, id));
const wait = (until: "done" | `${"state" | "tag"}:${string}`, timeoutMs = 20_000, id = "t") =>
  engine.client.wait("trip", id, { until, timeoutMs });

describe("a named action", () => {
  it("runs once, after the commit, and not again after a restart", async () => {
    await start("t");
    await send("board");
    expect(rung).toEqual(["Rome"]);
    await engine.stop();
    engine = await startEngine(world, { workflows: [trip] });
    await send("arrive");
    expect(rung).toEqual(["Rome"]);
  });

  it("that throws is told, and changes nothing", async () => {
    await start("t");
    expect(await send("lose")).toMatchObject({
      outcome: "applied",
      instance: { status: "active" },
    });
    expect(engine.seen("trouble")).toMatchObject([
      { where: "action", message: "the action crash of trip/t threw: no bell" },
    ]);
  });
});

describe("waiting", () => {
  it("ends when the instance has ended, with its output", async () => {
    await start("t");
    await send("board");
    const waiting = wait("done");
    await send("arrive");
    expect(await waiting).toMatchObject({ reached: true, instance: { output: { to: "Rome" } } });
  });

  it.each(["state:away", "state:away.flying", "tag:air"] as const)("ends at %s", async (until) => {
    // Without the news it would look again after a second, on the fastest machine too.
    const takeOff = async () => {
      const began = performance.now();
      const id = `t${began}`;
      await start(id);
      const [{ reached }] = await Promise.all([wait(until, 20_000, id), send("board", id)]);
      return reached ? performance.now() - began : Infinity;
    };
    await expect.poll(takeOff).toBeLessThan(900);
  });

  it("ends at once when it is there already", async () => {
    await start("t");
    expect(await wait("tag:ground")).toMatchObject({ reached: true });
  });

  it("ends with the present state when its time is up", async () => {
    await start("t");
    expect(await wait("done", 50)).toMatchObject({ reached: false, instance: { state: "home" } });
  });

  it("for an unknown instance is refused", async () => {
    await expect(wait("done")).rejects.toMatchObject({ code: "unknown-instance" });
  });

  it("is answered from the store when the owner's answer is lost", async () => {
    await start("t");
    const { transport } = engine.ports;
    const publish = transport.publish.bind(transport);
    transport.publish = (batch) =>
      publish(batch.filter(({ message }) => message.type !== "waybill.reply"));
    const waiting = wait("state:away");
    expect(await send("board")).toMatchObject({ outcome: "applied", instance: { version: 2 } });
    expect(await waiting).toMatchObject({ reached: true });
  });

  it("is refused as unavailable when the process stops meanwhile", async () => {
    await start("t");
    const waiting = wait("done", 20_000);
    const refused = waiting.catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await engine.stop();
    expect(await refused).toMatchObject({ code: "unavailable", retryable: true });
  });
});

describe("a request that nobody answers in time", () => {
  it("is told that its outcome is not known, and is handled later all the same", async () => {
    await engine.stop();
    world = memoryWorld({ speed: 50 });
    engine = await startEngine(world, { workflows: [trip] });
    await start("t");
    await engine.stop();
    const elsewhere = await startClient(world, { workflows: [trip] });
    await expect(elsewhere.client.send(event("board"))).rejects.toMatchObject({
      code: "deadline",
      retryable: true,
    });
    await elsewhere.stop();
    engine = await startEngine(world, { workflows: [trip] });
    await eventually(async () =>
      expect(await engine.client.get("trip", "t")).toMatchObject({ version: 2 }),
    );
  });
});

describe("a dry run", () => {
  it("tells what an event would do, and does nothing", async () => {
    await start("t");
    expect(await engine.client.dryRun(event("board"))).toEqual({
      accepted: true,
      state: { away: "flying" },
      status: "active",
      emits: [{ type: "trip.left", payload: {} }],
      timersArmed: [{ name: expect.any(String), delayMs: 600_000 }],
      timersCancelled: [],
      activitiesStarted: [{ name: "checkIn", input: { seat: 5 } }],
      activitiesStopped: [],
    });
    expect(await engine.client.get("trip", "t")).toMatchObject({ version: 1, state: "home" });
    expect(rung).toEqual([]);
  });

  it("says of what is not accepted that it is not", async () => {
    await start("t");
    expect(await engine.client.dryRun(event("arrive"))).toMatchObject({
      accepted: false,
      state: "home",
    });
  });
});

describe("a list", () => {
  const ids = async (filter: object) => {
    const { items } = await engine.client.list({ workflow: "trip", ...filter });
    return items.map(({ id }) => id).toSorted();
  };

  it("is filtered by status, state, tag and attribute", async () => {
    for (const [id, to] of [
      ["a", "Rome"],
      ["b", "Bonn"],
      ["c", "Rome"],
    ] as const)
      await start(id, to);
    await send("board", "a");
    await send("board", "b");
    await send("arrive", "b");
    expect(await ids({ status: "done" })).toEqual(["b"]);
    expect(await ids({ status: "active" })).toEqual(["a", "c"]);
    expect(await ids({ state: "away" })).toEqual(["a"]);
    expect(await ids({ state: "away.flying" })).toEqual(["a"]);
    expect(await ids({ tag: "ground" })).toEqual(["c"]);
    expect(await ids({ attributes: { to: "Rome" } })).toEqual(["a", "c"]);
    expect(await ids({ attributes: { to: "Rome" }, tag: "air" })).toEqual(["a"]);
  });

  it("comes in pages that hold each instance once, newest first", async () => {
    const all = Array.from({ length: 7 }, (_, index) => `t${index}`);
    for (const id of all) await start(id);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await engine.client.list({
        workflow: "trip",
        limit: 3,
        ...(cursor && { cursor }),
      });
      expect(page.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen.toSorted()).toEqual(all);
  });

  it("counts instances by state for the definition", async () => {
    await start("a");
    await start("b");
    await send("board", "b");
    expect(await engine.client.workflow("trip")).toMatchObject({
      states: ["home", "away", "away.flying", "late", "there"],
      counts: { "status:active": 2, "state:home": 1, "state:away": 1 },
    });
  });
});

describe("a history", () => {
  it("tells what happened in order, with trace and message, in pages", async () => {
    await start("t");
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await engine.client.send({
      ...event("board"),
      idempotencyKey: "m1",
      traceHeaders: { traceparent },
    });
    await send("arrive");
    const all = await engine.client.history("trip", "t");
    expect(all).toMatchObject([
      { number: 1, version: 1, type: "waybill.start", state: "home", payload: { to: "Rome" } },
      { number: 2, version: 2, type: "board", messageId: "m1", traceId: traceparent.slice(3, 35) },
      { number: 3, version: 3, type: "arrive", state: "there" },
    ]);
    expect(all.every(({ at }, index) => at >= (all[index - 1]?.at ?? 0))).toBe(true);
    expect(await engine.client.history("trip", "t", { after: 1, limit: 1 })).toEqual([all[1]]);
  });
});

describe("health", () => {
  it("is ready when broker, store and every partition are there", async () => {
    expect(await engine.client.health()).toMatchObject({
      ready: true,
      problems: [],
      durability: "memory",
      broker: "up",
      owned: [0, 1],
    });
  });

  it("names what is in the way", async () => {
    for (const { partition, epoch } of await engine.ports.store.partitions()) {
      await engine.ports.store.release(partition, epoch);
    }
    expect(await engine.client.health()).toMatchObject({
      ready: false,
      problems: ["no partition has an owner"],
    });
  });
});
