import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { RedisStore } from "../../../src/stores/redis/store.ts";
import { eventually, type RunningEngine, startEngine } from "../../support/memory-engine.ts";
import { RedisServer } from "../../support/redis-server.ts";
import { tally } from "../../support/tally.ts";
import { memoryWorld, outsider, type World } from "../../support/world.ts";
import { newPrefix, redisStore } from "./opened.ts";

const ids = ["a", "b", "c", "d", "e", "f"];

let server: RedisServer;
const engines: RunningEngine[] = [];
const stores: RedisStore[] = [];

beforeAll(async () => {
  server = await RedisServer.start({ log: "always" });
});
afterAll(() => server.stop());
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

/** A broker in memory, and the records in Redis. */
function redisWorld(url = server.url): World {
  const prefix = newPrefix();
  return {
    ...memoryWorld(),
    store() {
      const store = redisStore(url, { prefix });
      stores.push(store);
      return store;
    },
  };
}

async function start(world: World): Promise<RunningEngine> {
  const engine = await startEngine(world, { workflows: [tally], partitions: 32 });
  engines.push(engine);
  return engine;
}

/** Sends the numbers to every tally, in order. */
async function count(from: number, to: number, { client }: RunningEngine): Promise<void> {
  for (let number = from; number < to; number += 1) {
    for (const id of ids) {
      const event = { workflow: "tally", id, type: "tally.add", payload: { number } };
      await client.sendAsync({ ...event, idempotencyKey: `${id}-${number}` });
    }
    await sleep(2);
  }
}

async function expectAll(upTo: number, { client }: RunningEngine): Promise<void> {
  const numbers = Array.from({ length: upTo }, (_, number) => number);
  for (const id of ids) {
    // The lease of an engine that was killed runs out first.
    await expect
      .poll(() => client.get("tally", id), { timeout: 20_000 })
      .toMatchObject({ context: { numbers } });
  }
}

test("two engines on Redis apply everything once and in order, though one is killed", async () => {
  const world = redisWorld();
  const one = await start(world);
  for (const id of ids) await one.client.start({ workflow: "tally", id, input: {} });
  const other = await start(world);
  await eventually(() => {
    expect(other.owned().length).toBeGreaterThan(0);
    expect(one.owned().length + other.owned().length).toBe(32);
  });
  await count(0, 40, one);
  await other.kill();
  await count(40, 80, one);
  await expectAll(80, one);
});

test("an engine goes on when Redis was killed and is back", async () => {
  const one = await start(redisWorld());
  for (const id of ids) await one.client.start({ workflow: "tally", id, input: {} });
  const counted = count(0, 200, one);
  await sleep(100);
  await server.kill();
  await sleep(500);
  await server.run();
  await counted;
  await expectAll(200, one);
});

test("nothing that an engine has written leaves with the next one before replicas have it", async () => {
  const settings = ["--replicaof", "127.0.0.1", String(server.port)];
  const replica = await RedisServer.start({ settings });
  try {
    await expect.poll(() => server.call("info", "replication")).toMatch(/state=online/);
    const world = redisWorld(`${server.url}?replicas=1&replicaWait=200ms`);
    const heard = await (await outsider(world)).gather("tally.added");
    const one = await start(world);
    await one.client.start({ workflow: "tally", id: "a", input: {} });

    replica.signal("SIGSTOP");
    const event = { workflow: "tally", id: "a", type: "tally.add", payload: { number: 0 } };
    await one.client.sendAsync(event);
    // What is read does not wait for replicas.
    await expect.poll(() => one.client.get("tally", "a")).toMatchObject({ version: 2 });
    await one.kill();
    const other = await start(world);
    await expect.poll(() => other.owned().length, { timeout: 20_000 }).toBe(32);
    await sleep(1_000);
    expect(heard).toEqual([]);

    replica.signal("SIGCONT");
    await expect.poll(() => heard.length, { timeout: 20_000 }).toBe(1);
    await expect(other.client.get("tally", "a")).resolves.toMatchObject({ version: 2 });
  } finally {
    await replica.stop();
  }
});
