import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { RedisServer } from "../../support/redis-server.ts";
import { ClusterLab, expectAllKept } from "./cluster-lab.ts";

let broker: RabbitMqServer;
let redis: RedisServer;
let lab: ClusterLab;

beforeAll(async () => {
  [broker, redis] = await Promise.all([
    RabbitMqServer.start(),
    RedisServer.start({ log: "everysec" }),
  ]);
  lab = new ClusterLab({
    broker: broker.url(),
    store: redis.url,
    outside: broker.url("guest"),
  });
  await lab.open();
}, 120_000);
afterAll(async () => {
  await lab?.close();
  await Promise.all([broker?.stop(), redis?.stop()]);
}, 60_000);

/** As after a loss of power: what the log held a second before is all that there is. */
async function loseTheLastSecond(): Promise<number> {
  await sleep(2_000);
  redis.copyData();
  await sleep(1_000);
  const since = performance.now();
  await redis.kill();
  redis.restoreData();
  await redis.run();
  return since;
}

test("a Redis that lost its last second is noticed and said, and engines that live on write it again", async () => {
  expect(await lab.health()).toMatchObject({ durability: "second" });
  await expectAllKept(lab, "Redis lost its last second", loseTheLastSecond);
  expect(lab.rollbacks).not.toEqual([]);
  expect((await lab.health()).warnings.join()).toMatch(/the store has lost commits/);
});
