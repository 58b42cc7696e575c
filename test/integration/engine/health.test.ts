import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { emit, setup } from "xstate";
import { z } from "zod";
import type { Health } from "../../../src/engine/client.ts";
import type { HealthLimits } from "../../../src/engine/health/limits.ts";
import { Monitor } from "../../../src/engine/health/monitor.ts";
import type { Store } from "../../../src/store.ts";
import { defineWorkflow } from "../../../src/workflow.ts";
import { type RunningEngine, startClient, startEngine } from "../../support/memory-engine.ts";
import { memoryWorld, outsider } from "../../support/world.ts";

const nothing = z.object({});
const guard = { broken: true };

const parcel = defineWorkflow({
  name: "parcel",
  version: "1",
  events: {
    "parcel.sent": nothing,
    "parcel.weighed": nothing,
    "parcel.paid": { schema: nothing, unaccepted: "defer" as const },
  },
  emits: { "parcel.moved": nothing },
  machine: setup({
    guards: {
      light: () => {
        if (guard.broken) throw new Error("no scales");
        return true;
      },
    },
  }).createMachine({
    initial: "here",
    states: {
      here: {
        on: {
          "parcel.sent": { target: "lost", actions: emit({ type: "parcel.moved" }) },
          "parcel.weighed": { guard: "light" },
        },
        after: { 3_600_000: "late" },
      },
      lost: {},
      late: { on: { "parcel.paid": "here" } },
    },
  }),
});

const options = { workflows: [parcel], partitions: 2 };
const quick: Partial<HealthLimits> = { surveyMs: 0, deepSurveyMs: 0, lookMs: 20 };

/** A store of which calls can be counted, held up for ever and refused. */
function tampered(store: Store) {
  const calls = new Map<string, number>();
  const state: { hangs?: string; refuses?: string } = {};
  const proxy = new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        calls.set(String(name), (calls.get(String(name)) ?? 0) + 1);
        if (state.hangs === name) return new Promise(() => undefined);
        if (state.refuses === name) return Promise.reject(new Error("disk full"));
        return Reflect.apply(member, target, args);
      };
    },
  });
  return { proxy, calls, state };
}

let world: ReturnType<typeof memoryWorld>;
let engine: RunningEngine;
let store: ReturnType<typeof tampered>;
const ends: (() => unknown)[] = [];
beforeEach(async () => {
  world = memoryWorld();
  store = tampered(world.store());
  engine = await startEngine({ ...world, store: () => store.proxy }, options);
});
afterEach(async () => {
  store.state.hangs = "";
  for (const end of ends.splice(0)) await end();
  await engine.stop();
});

/** A monitor of the engine's process, begun. */
function watch(limits: Partial<HealthLimits> = {}): Monitor {
  const { ports, owned, vitals } = engine;
  const monitor = new Monitor(ports, { owned, vitals, limits: { ...quick, ...limits } });
  monitor.begin();
  ends.push(() => monitor.end());
  return monitor;
}

const codesOf = ({ findings }: Health) => findings.map(({ code }) => code);

/** Waits until the health is so. */
async function until(monitor: Monitor, isSo: (health: Health) => boolean): Promise<Health> {
  let last: Health | undefined;
  await expect
    .poll(
      async () => {
        last = await monitor.health();
        return isSo(last);
      },
      { timeout: 30_000, message: "health did not become so" },
    )
    .toBe(true);
  return last as Health;
}

const has = (code: string) => (health: Health) => codesOf(health).includes(code);
const told = (code: string) => engine.seen("finding").filter((one) => one.code === code);
const at = (id: string) => ({ workflow: "parcel", id });
const start = (id: string) => engine.client.start({ ...at(id), input: {} });
const send = (id: string, type: string) =>
  engine.client.sendAsync({ ...at(id), type, payload: {} });

describe("the health of a process", () => {
  it("costs the store one look a second, however many ask", async () => {
    const monitor = new Monitor(engine.ports, { owned: engine.owned, vitals: engine.vitals });
    await monitor.health();
    store.calls.clear();
    const { clock } = engine.ports;
    const began = clock.monotonic();
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(Array.from({ length: 500 }, () => monitor.health()));
    }
    const seconds = (clock.monotonic() - began) / 1_000;
    expect(store.calls.get("partitions") ?? 0).toBeLessThanOrEqual(1 + seconds);
    expect(store.calls.get("count") ?? 0).toBeLessThanOrEqual(1 + seconds / 15);
  });

  it("says what store and broker survive, once at the start, and what is at risk", async () => {
    const monitor = watch();
    const health = await monitor.health();
    expect(health).toMatchObject({ ready: true, durability: "memory", brokerDurability: "memory" });
    expect(health.warnings.join()).toMatch(/everything is lost when it ends/);
    expect(engine.seen("durability")).toHaveLength(1);
    await expect.poll(() => told("store-durability"), { timeout: 30_000 }).toHaveLength(1);
  });

  it("names states that nothing leads out of", async () => {
    const { warnings } = await watch().health();
    expect(warnings.join()).toMatch(/out of these states: \S*lost of parcel\./);
  });

  it("is not ready while the store does not answer, and tells when it does again", async () => {
    const monitor = watch();
    store.state.refuses = "partitions";
    const away = await until(monitor, has("store-away"));
    expect(away).toMatchObject({ ready: false });
    expect(away.problems).toEqual(["the store does not answer: disk full"]);
    await expect.poll(() => told("store-away"), { timeout: 30_000 }).toHaveLength(1);
    store.state.refuses = "";
    expect(await until(monitor, ({ ready }) => ready)).toMatchObject({ problems: [] });
    await expect
      .poll(() => told("store-away").map(({ change }) => change), { timeout: 30_000 })
      .toEqual(["appeared", "gone"]);
  });

  it("names a partition that has work and commits nothing, though its owner lives", async () => {
    const monitor = watch({ stalledMs: 100 });
    expect(codesOf(await monitor.health())).not.toContain("no-progress");
    store.state.hangs = "commit";
    void start("held").catch(() => undefined);
    const health = await until(monitor, has("partitions-without-progress"));
    expect(health).toMatchObject({ ready: true, measures: { stalled: [expect.any(Number)] } });
    expect(engine.owned()).toEqual([0, 1]);
    for (const id of ["a", "b", "c", "d", "e", "f", "g"]) void start(id).catch(() => undefined);
    expect(await until(monitor, has("no-progress"))).toMatchObject({ ready: false });
  });

  it("takes a commit between two looks for progress, however much waits", async () => {
    let commits = 0;
    const vitals = () => [
      { partition: 0, commits: 7, waiting: 1 },
      { partition: 1, commits: (commits += 1), waiting: 9 },
    ];
    const limits = { ...quick, stalledMs: 1 };
    const monitor = new Monitor(engine.ports, { owned: engine.owned, vitals, limits });
    const health = await until(monitor, has("partitions-without-progress"));
    expect(health.measures?.stalled).toEqual([0]);
  });

  it("counts instances that need somebody, and names their workflow", async () => {
    guard.broken = true;
    const monitor = watch();
    for (const id of ["ok", "stuck", "failed", "still"]) await start(id);
    await send("stuck", "parcel.sent");
    await send("failed", "parcel.weighed");
    await engine.client.suspend(at("still"));
    const counts = { workflow: "parcel", failed: 1, suspended: 1, stuck: 1 };
    const health = await until(
      monitor,
      ({ measures }) => JSON.stringify(measures?.instances) === JSON.stringify([counts]),
    );
    expect(codesOf(health)).toEqual(
      expect.arrayContaining(["stuck-instances", "failed-instances", "dead-letters"]),
    );
    expect(health.ready).toBe(true);
  });

  it("notices events that wait for too long", async () => {
    const monitor = watch();
    await start("early");
    await engine.client.suspend(at("early"));
    await send("early", "parcel.paid");
    const one = await until(monitor, ({ measures }) => measures?.waitingInstances === 1);
    expect(codesOf(one)).not.toContain("old-waiting-events");
    world.skip(26 * 3_600_000);
    const health = await until(monitor, has("old-waiting-events"));
    expect(health.measures?.oldestWaitingMs).toBeGreaterThanOrEqual(24 * 3_600_000);
    const { items } = await engine.client.list({ workflow: "parcel", waiting: true });
    expect(items.map(({ id }) => id)).toEqual(["early"]);
  });

  it("notices a jump of the store's clock and the skew that it leaves", async () => {
    const monitor = watch();
    world.skip(172_800_000);
    // Its leases have run out by that clock until they are renewed.
    const health = await until(
      monitor,
      (one) => one.ready && has("clock-jump")(one) && has("clock-skew")(one),
    );
    expect(health.measures?.clockSkewMs).toBeGreaterThan(172_700_000);
    const [jump] = engine.seen("clock-jump");
    expect(jump?.byMs).toBeGreaterThan(172_700_000);
  });

  it("knows how long a message has been promised that the broker does not take", async () => {
    const monitor = watch({ outboxAgeMs: 50 });
    const { transport } = engine.ports;
    const publish = transport.publish.bind(transport);
    transport.publish = (batch) =>
      batch.some(({ exchange }) => exchange === "events")
        ? Promise.resolve(batch.map(() => "failed" as const))
        : publish(batch);
    await start("sent");
    await send("sent", "parcel.sent");
    const health = await until(monitor, has("old-outbox"));
    expect(health.measures?.oldestOutboxMs).toBeGreaterThanOrEqual(50);
    transport.publish = publish;
    await until(monitor, (one) => !has("old-outbox")(one));
  });
});

describe("a process beside a dead one", () => {
  it("names partitions without an owner, overdue timers and queues that grow", async () => {
    await start("waits");
    const beside = await startClient(world, options);
    ends.push(() => beside.stop());
    await engine.kill();
    const limits = { ...quick, ownerlessMs: 50, queueMessages: 3 };
    const monitor = new Monitor(beside.ports, { limits });
    const shop = await outsider(world);
    const headers = { "x-waybill-instance": "parcel/waits" };
    for (const id of ["1", "2", "3", "4"]) {
      const message = { id, type: "parcel.paid", body: "{}", headers };
      for (const partition of [0, 1]) {
        const routingKey = beside.ports.names.partition(partition);
        await shop.publish({ exchange: "", routingKey, message });
      }
    }
    const health = await until(
      monitor,
      (one) => has("partitions-without-owner")(one) && has("long-queue")(one),
    );
    // It answers for no partition, and takes what the broker can keep.
    expect(health).toMatchObject({ ready: true, measures: { ownerless: [0, 1] } });
    world.skip(3_700_000);
    await beside.client.list({ workflow: "parcel" });
    beside.ports.storeClock.learn(beside.ports.clock.monotonic(), world.now());
    const late = await until(monitor, ({ measures }) => (measures?.overdueTimers ?? 0) > 0);
    expect(codesOf(late)).toContain("overdue-timers");
    expect(late.measures?.oldestOverdueTimerMs).toBeGreaterThan(90_000);
  });
});
