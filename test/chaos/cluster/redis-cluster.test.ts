import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { RedisCluster } from "../../support/redis-cluster.ts";
import type { RedisServer } from "../../support/redis-server.ts";
import { ClusterLab, expectAllKept } from "./cluster-lab.ts";

let broker: RabbitMqServer;
let redis: RedisCluster;
let lab: ClusterLab;

beforeAll(async () => {
  [broker, redis] = await Promise.all([
    RabbitMqServer.start(),
    RedisCluster.start({ replicas: true, log: "always" }),
  ]);
  lab = new ClusterLab({
    broker: broker.url(),
    store: `${redis.url}?replicas=1`,
    outside: broker.url("guest"),
  });
  await lab.open();
}, 120_000);
afterAll(async () => {
  await lab?.close();
  await Promise.all([broker?.stop(), redis?.stop()]);
}, 60_000);

describe("on a Redis Cluster of three masters and their replicas everything is kept", () => {
  test("when a partition's slot moves to another node", async () => {
    await expectAllKept(lab, "slot moved", async () => {
      const since = performance.now();
      await sleep(2_000);
      await redis.move(`{${lab.prefix}:p00}`, { pauseMs: 50 });
      return since;
    });
    expect(lab.rollbacks).toEqual([]);
  });

  test.each([0, 1, 2])("when master %i is killed, and comes back as a replica", async (index) => {
    const master = redis.masters[index] as RedisServer;
    const replica = redis.replicas[index] as RedisServer;
    await expectAllKept(lab, "Redis Cluster master killed", async () => {
      const since = performance.now();
      await master.kill();
      const role = async () => String(await replica.call("role"));
      await expect.poll(role, { timeout: 30_000 }).toMatch(/^master/);
      // Until then commits have no replica to wait for.
      await master.run();
      return since;
    });
    expect(lab.rollbacks).toEqual([]);
  });
});
