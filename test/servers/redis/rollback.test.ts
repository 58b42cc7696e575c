import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { RedisStore } from "../../../src/stores/redis/store.ts";
import { type RunningEngine, startEngine } from "../../support/memory-engine.ts";
import { RedisServer } from "../../support/redis-server.ts";
import { tally } from "../../support/tally.ts";
import { memoryWorld, outsider } from "../../support/world.ts";
import { newPrefix, redisStore } from "./opened.ts";

const ids = ["a", "b", "c", "d"];
const partitions = 4;

let server: RedisServer;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await RedisServer.start({ log: "always" });
});
afterAll(() => server.stop());
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function count(from: number, to: number, { client }: RunningEngine): Promise<void> {
  for (let number = from; number < to; number += 1) {
    for (const id of ids) {
      const event = { workflow: "tally", id, type: "tally.add", payload: { number } };
      await client.send({ ...event, idempotencyKey: `${id}-${number}` });
    }
  }
}

test("what Redis has lost of its log is written again by the owner, and nothing is applied or emitted anew", async () => {
  const prefix = newPrefix();
  const stores: RedisStore[] = [];
  const world = {
    ...memoryWorld(),
    store() {
      const store = redisStore(server.url, { prefix });
      stores.push(store);
      return store;
    },
  };
  ends.push(async () => {
    for (const store of stores) await store.close();
  });
  const published = await (await outsider(world)).gather("tally.added");
  const engine = await startEngine(world, { workflows: [tally], partitions });
  ends.push(() => engine.stop());
  for (const id of ids) await engine.client.start({ workflow: "tally", id, input: {} });
  await count(0, 10, engine);
  // As `appendfsync everysec` and a loss of power would leave it: each answer was given, the end of the log is gone.
  server.copyData();
  await count(10, 25, engine);
  await server.kill();
  server.restoreData();
  await server.run();
  const numbers = Array.from({ length: 30 }, (_, number) => number);
  for (let number = 25; number < 30; number += 1) {
    for (const id of ids) {
      const event = { workflow: "tally", id, type: "tally.add", payload: { number } };
      await engine.client.sendAsync({ ...event, idempotencyKey: `${id}-${number}` });
    }
  }
  for (const id of ids) {
    await expect
      .poll(() => engine.client.get("tally", id).catch(() => undefined), { timeout: 30_000 })
      .toMatchObject({ version: 31, context: { numbers } });
  }
  const seen = engine.seen("rollback");
  const restored = seen.reduce((sum, one) => sum + one.restored, 0);
  expect(restored).toBeGreaterThanOrEqual(15 * ids.length);
  expect(seen.map(({ lost }) => lost)).toEqual(seen.map(() => 0));
  await expect
    .poll(() => new Set(published.map(({ id }) => id)).size, { timeout: 20_000 })
    .toBe(30 * ids.length);
  const bodies = new Map(published.map(({ id, body }) => [id, body]));
  for (const { id, body } of published) expect(bodies.get(id)).toBe(body);
});
