import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assign, setup } from "xstate";
import { z } from "zod";
import { activity } from "../../../src/activity.ts";
import type { MemoryStoreData } from "../../../src/stores/memory/store-data.ts";
import { defineWorkflow } from "../../../src/workflow.ts";
import { errand } from "../../support/errand.ts";
import {
  deadLetter,
  eventually,
  inState,
  type RunningEngine,
  startEngine,
} from "../../support/memory-engine.ts";
import { memoryWorld, outsider, type World } from "../../support/world.ts";

const jar = (version: string) =>
  defineWorkflow({
    name: "jar",
    version,
    events: { "jar.add": z.object({ text: z.string() }), "jar.cook": z.object({}) },
    machine: setup({
      types: {
        context: {} as { holds: readonly string[] },
        events: {} as { type: "jar.add"; text: string } | { type: "jar.cook" },
      },
      actors: { cook: activity({ run: () => `cooked by ${version}` }) },
    }).createMachine({
      context: { holds: [] },
      initial: "open",
      states: {
        open: {
          on: {
            "jar.add": {
              actions: assign({ holds: ({ context, event }) => [...context.holds, event.text] }),
            },
            "jar.cook": "cooking",
          },
          after: { 1_000_000: "dusty" },
        },
        cooking: {
          invoke: {
            id: "cook",
            src: "cook",
            input: {},
            onDone: {
              target: "cooked",
              actions: assign({ holds: ({ event }) => [event.output] }),
            },
          },
        },
        cooked: {},
        dusty: {},
      },
    }),
  });

let world: World & { readonly data: MemoryStoreData };
let engine: RunningEngine;

beforeEach(() => {
  world = memoryWorld({ speed: 20 });
});

afterEach(async () => {
  await engine.stop();
  await world.end();
});

const add = (text: string, id = "j") =>
  engine.client.sendAsync({
    workflow: "jar",
    id,
    type: "jar.add",
    payload: { text },
    idempotencyKey: `${id}:${text}`,
  });

async function restart(...versions: readonly string[]): Promise<void> {
  await engine.stop();
  engine = await startEngine(world, { workflows: versions.map(jar) });
}

async function begin(): Promise<void> {
  engine = await startEngine(world, { workflows: [jar("1")] });
  await engine.client.start({ workflow: "jar", id: "j", input: {} });
}

const waiting = (count: number) =>
  eventually(async () =>
    expect(await engine.client.get("jar", "j")).toMatchObject({ waiting: count }),
  );

describe("an instance whose version is not registered", () => {
  it("is suspended, says why, and is listed as such once something came for it", async () => {
    await begin();
    await restart("2");
    expect(await engine.client.get("jar", "j")).toMatchObject({
      status: "suspended",
      state: "open",
      error: { name: "needs-code", message: expect.stringContaining("jar@1") },
    });
    await add("fig");
    await waiting(1);
    const { items } = await engine.client.list({ workflow: "jar", status: "suspended" });
    expect(items.map(({ id }) => id)).toEqual(["j"]);
  });

  it("keeps its events, in order, and takes them up when the version is back, without a new one", async () => {
    await begin();
    await restart("2");
    for (const text of ["fig", "plum"]) await add(text);
    await waiting(2);
    await restart("2", "1");
    await eventually(async () =>
      expect(await engine.client.get("jar", "j")).toMatchObject({
        status: "active",
        waiting: 0,
        context: { holds: ["fig", "plum"] },
      }),
    );
  });

  it("takes up what it kept before anything that comes later", async () => {
    await begin();
    await restart("2");
    for (const text of ["fig", "plum"]) await add(text);
    await waiting(2);
    await restart("2", "1");
    await add("pear");
    await eventually(async () =>
      expect(await engine.client.get("jar", "j")).toMatchObject({
        context: { holds: ["fig", "plum", "pear"] },
      }),
    );
  });

  it("remembers what it kept: a copy of that is dropped", async () => {
    await begin();
    await restart("2");
    await add("fig");
    await add("fig");
    await eventually(() =>
      expect(engine.seen("set-aside").map(({ outcome }) => outcome)).toContain("duplicate"),
    );
    await waiting(1);
  });

  it("keeps its timers, which fire when the version is back", async () => {
    await begin();
    await restart("2");
    world.skip(2_000_000);
    await eventually(() =>
      expect(engine.seen("set-aside").map(({ outcome }) => outcome)).toContain("held"),
    );
    await restart("2", "1");
    await inState(engine, "jar/j", "dusty");
  });

  it("keeps its activities, which run by the code of their version when that is back", async () => {
    await begin();
    await engine.kill();
    world.skip(10_000);
    engine = await startEngine(world, { workflows: [jar("1")] });
    await engine.client.sendAsync({ workflow: "jar", id: "j", type: "jar.cook", payload: {} });
    await engine.kill();
    world.skip(10_000);
    engine = await startEngine(world, { workflows: [jar("2")] });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await restart("2", "1");
    const { context } = await inState(engine, "jar/j", "cooked");
    expect(context).toEqual({ holds: ["cooked by 1"] });
  });

  it("can be terminated, and its history says so", async () => {
    await begin();
    await restart("2");
    await engine.client.terminate({ workflow: "jar", id: "j" });
    const history = await engine.client.history("jar", "j");
    expect(history.map(({ version, type }) => [version, type])).toEqual([
      [1, "waybill.start"],
      [2, "waybill.terminate"],
    ]);
  });

  it("leaves no lease of an activity behind when it is terminated", async () => {
    const code = (version: string) => [errand({ local: false }, { version })];
    engine = await startEngine(world, { workflows: code("1") });
    await engine.client.start({ workflow: "errand", id: "e", input: {} });
    const timers = () => world.data.partitions.flatMap((one) => [...one.timers.keys()]);
    expect(timers()).toEqual(["errand/e#1#~lease:1:job"]);
    await engine.stop();
    engine = await startEngine(world, { workflows: code("2") });
    await engine.client.terminate({ workflow: "errand", id: "e" });
    expect(timers()).toEqual(["errand/e#0#~retention"]);
  });

  it("can be replaced by a new one, and leaves no timer behind", async () => {
    await begin();
    await restart("2");
    await add("fig");
    await waiting(1);
    const start = {
      workflow: "jar",
      id: "j",
      input: {},
      onConflict: "terminate-existing",
    } as const;
    const { instance } = await engine.client.start(start);
    expect(instance).toMatchObject({ definition: "2", status: "active", waiting: 0 });
    expect(await deadLetter(engine, "j:fig")).toMatchObject({ reason: "ended" });
    const partitions = await engine.ports.store.partitions();
    expect(partitions.map(({ timers }) => timers).toSorted((one, other) => one - other)).toEqual([
      0, 1,
    ]);
  });

  it("keeps what no schema could check, and checks it when the version is back", async () => {
    await begin();
    await restart("2");
    const shop = await outsider(world);
    const headers = { "x-waybill-instance": "jar/j" };
    const message = { id: "m1", type: "jar.add", body: '{"text":5}', headers };
    await shop.publish({ routingKey: "jar.add", message });
    await waiting(1);
    await restart("2", "1");
    expect(await deadLetter(engine, "m1")).toMatchObject({ reason: "invalid-payload" });
  });

  it("is not taken for one that was never started", async () => {
    engine = await startEngine(world, { workflows: [jar("1")] });
    await add("fig");
    await engine.client.start({ workflow: "jar", id: "j", input: {} });
    await restart("2");
    world.skip(3_600_000);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await engine.client.get("jar", "j")).toMatchObject({ status: "suspended" });
  });
});

describe("an instance whose record is broken", () => {
  const spoil = (record: string) => {
    for (const { instances } of world.data.partitions) {
      const row = instances.get("jar/j");
      if (row !== undefined) instances.set("jar/j", { ...row, stored: { ...row.stored, record } });
    }
  };
  const records = [
    "{",
    "null",
    '{"terms":"x"}',
    '{"definition":"1","terms":[],"actor":7}',
    '{"definition":"1","terms":[],"actor":{"value":"open","children":5}}',
  ];

  it.each(records)("%s sets its own events aside and nobody else's", async (record) => {
    await begin();
    await engine.stop();
    spoil(record);
    engine = await startEngine(world, { workflows: [jar("1")] });
    await add("fig");
    expect(await deadLetter(engine, "j:fig")).toMatchObject({
      reason: "corrupt-record",
      body: '{"text":"fig"}',
    });
    for (const id of ["k", "l", "m"]) {
      await engine.client.start({ workflow: "jar", id, input: {} });
    }
    expect(engine.seen("partition").filter(({ change }) => change === "lost")).toEqual([]);
    const { items } = await engine.client.list({ workflow: "jar" });
    expect(items.map(({ id, state }) => `${id} ${JSON.stringify(state)}`).toSorted()).toEqual([
      `j "unreadable"`,
      `k "open"`,
      `l "open"`,
      `m "open"`,
    ]);
    await expect(engine.client.get("jar", "j")).rejects.toMatchObject({ code: "corrupt-record" });
  });

  it("goes on with its timers once the record was mended", async () => {
    await begin();
    await engine.stop();
    const good = world.data.partitions.flatMap(({ instances }) => instances.get("jar/j") ?? []);
    spoil("{");
    world.skip(2_000_000);
    engine = await startEngine(world, { workflows: [jar("1")] });
    await new Promise((resolve) => setTimeout(resolve, 50));
    spoil(good[0]?.stored.record ?? "");
    await inState(engine, "jar/j", "dusty");
  });
});
