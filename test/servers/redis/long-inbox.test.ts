import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { partitionOf } from "../../../src/routing.ts";
import type { RedisStore } from "../../../src/stores/redis/store.ts";
import { Owner, writeOf } from "../../contracts/store-lab.ts";
import { watchingInboxes } from "../../support/inbox-watch.ts";
import { type RunningEngine, startEngine } from "../../support/memory-engine.ts";
import { RedisServer } from "../../support/redis-server.ts";
import { tally } from "../../support/tally.ts";
import { memoryWorld, type World } from "../../support/world.ts";
import { newPrefix, openedStore, redisStore } from "./opened.ts";

const ids = 300_000;
const partitions = 4;
const key = "tally/a";
const event = { workflow: "tally", id: "a", type: "tally.add" };
/** Reading all of the ids takes several times as long, even on a fast machine; a share of them a hundredth. */
const storeDeadlineMs = 150;
const inboxWindowMs = 3_000;

let server: RedisServer;
const stores: RedisStore[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

function start(world: World): Promise<RunningEngine> {
  const limits = { inboxWindowMs, storeDeadlineMs };
  return startEngine(world, { workflows: [tally], partitions, limits });
}

/** Makes the instance remember as many messages as a busy one does in some days. */
async function fill(prefix: string): Promise<void> {
  const store = await openedStore(server.url, { prefix, callDeadlineMs: 20_000 });
  const owner = await Owner.of(store, partitionOf(key, partitions));
  const [stored] = await store.load(owner.partition, [key]);
  const { version = 0, record } = stored ?? {};
  for (let from = 0; from < ids; from += 10_000) {
    const inbox = Array.from({ length: 10_000 }, (_, index) => ({ id: `old-${from + index}` }));
    await owner.write(writeOf(key, { expectedVersion: version, version, record, inbox }));
  }
  await store.release(owner.partition, owner.epoch);
  await store.close();
}

function median(durations: readonly number[]): number {
  return durations.toSorted((one, other) => one - other)[durations.length >> 1] ?? Number.NaN;
}

test(`an instance with ${ids} message ids is as quick as any, and forgets them with its batches`, async () => {
  const prefix = newPrefix();
  const world = watchingInboxes({
    ...memoryWorld(),
    store() {
      const store = redisStore(server.url, { prefix });
      stores.push(store);
      return store;
    },
  });
  const first = await start(world);
  await first.client.start({ workflow: "tally", id: "a", input: {} });
  await first.stop();
  await fill(prefix);

  const engine = await start(world);
  const { client } = engine;
  const again = { ...event, payload: { number: -1 }, idempotencyKey: `old-${ids - 1}` };
  expect(await client.send(again)).toMatchObject({ outcome: "duplicate" });
  const refused = client.send({ ...event, payload: { number: -1 }, ifVersion: 99_999 });
  await expect(refused).rejects.toMatchObject({ code: "version-mismatch" });

  await sleep(2 * inboxWindowMs);
  for (let number = 0; number < 330; number += 1)
    await client.send({ ...event, payload: { number } });
  const pages = world.calls.filter(({ what, ids: count }) => what === "page" && count > 0);
  expect(pages.length).toBeGreaterThan(250);
  expect(Math.max(...pages.map((page) => page.ids))).toBeLessThanOrEqual(1_024);
  expect(pages.reduce((sum, page) => sum + page.ids, 0)).toBeGreaterThanOrEqual(ids);
  expect(engine.seen("trouble")).toEqual([]);
  for (const what of ["page", "forget"]) {
    const times = world.calls.filter((call) => call.what === what).map((call) => call.durationMs);
    const [full, empty] = [median(times.slice(0, 100)), median(times.slice(200, 300))];
    expect(full, `${what}: ${full} and ${empty} ms`).toBeLessThan(10 + 5 * empty);
  }
  await engine.stop();
  await Promise.all(stores.splice(0).map((store) => store.close()));
});
