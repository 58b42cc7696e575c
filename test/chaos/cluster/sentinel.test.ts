import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { RedisSentinel } from "../../support/redis-sentinel.ts";
import type { RedisServer } from "../../support/redis-server.ts";
import { ClusterLab, expectAllKept } from "./cluster-lab.ts";
import { killForAWhile } from "./strikes.ts";

let broker: RabbitMqServer;
let redis: RedisSentinel;
let lab: ClusterLab;

/** Starts everything; with a gate, commits wait until a replica has them. */
async function open(gate: "?replicas=1" | ""): Promise<void> {
  [broker, redis] = await Promise.all([RabbitMqServer.start(), RedisSentinel.start()]);
  lab = new ClusterLab({
    broker: broker.url(),
    store: `${redis.url}${gate}`,
    outside: broker.url("guest"),
  });
  await lab.open();
}

afterEach(async () => {
  await lab?.close();
  await Promise.all([broker?.stop(), redis?.stop()]);
}, 60_000);

const killMaster = async () => killForAWhile(lab, await redis.master());

/** Replicas get no more of what the master writes; what waits for them goes on waiting. */
async function cutReplication(master: RedisServer): Promise<void> {
  await master.call("acl", "setuser", "default", "-psync", "-sync", "-replconf");
  await master.call("client", "kill", "type", "replica");
}

/** Long enough for many commits, and so short that replicas may still become master. */
const cutMs = 2_000;

describe("behind Sentinel, with commits that wait for a replica", () => {
  beforeEach(() => open("?replicas=1"), 120_000);

  test("everything is kept, though the master is killed twice", async () => {
    expect(await lab.health()).toMatchObject({ durability: "replicated" });
    await expectAllKept(lab, "Redis master killed", killMaster);
    await expectAllKept(lab, "Redis master killed again", killMaster);
    expect(lab.rollbacks).toEqual([]);
  });

  test("everything is kept, though the master is killed while its replicas lag behind", async () => {
    await expectAllKept(lab, "Redis master killed ahead of its replicas", async () => {
      await cutReplication(await redis.master());
      await sleep(cutMs);
      return killMaster();
    });
    expect(lab.rollbacks).toEqual([]);
  });
});

describe("behind Sentinel, with commits that wait for nobody", () => {
  beforeEach(() => open(""), 120_000);

  test("the level shown is lower, and engines that live on notice what a failover lost and write it again", async () => {
    expect(await lab.health()).toMatchObject({ durability: "fsync" });
    await expectAllKept(lab, "Redis master killed ahead of its replicas, no gate", async () => {
      await cutReplication(await redis.master());
      await sleep(cutMs);
      return killMaster();
    });
    expect(lab.rollbacks).not.toEqual([]);
    expect((await lab.health()).warnings.join()).toMatch(/the store has lost commits/);
  });

  test("the account finds what a failover lost, when the engines died with the master", async () => {
    const { account } = await lab.play({
      name: "Redis master and engines killed ahead of the replicas, no gate",
      restMs: 10_000,
      strike: async () => {
        const master = await redis.master();
        await cutReplication(master);
        await sleep(cutMs);
        const since = performance.now();
        await Promise.all([master.kill(), lab.killEngines()]);
        await lab.startEngines();
        return since;
      },
    });
    expect(account.lost).toBeGreaterThan(0);
  });
});
