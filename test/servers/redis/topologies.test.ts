import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WaybillError } from "../../../src/errors.ts";
import { storeContract } from "../../contracts/store-contract.ts";
import { Owner, writeOf } from "../../contracts/store-lab.ts";
import { RedisCluster } from "../../support/redis-cluster.ts";
import { RedisSentinel } from "../../support/redis-sentinel.ts";
import { newPrefix, openedStore, redisLab } from "./opened.ts";

function kindOfRefusal(error: unknown): string {
  return error instanceof WaybillError ? error.code : String(error);
}

describe("the Redis store on a cluster", () => {
  let cluster: RedisCluster;
  let url: string;

  beforeAll(async () => {
    cluster = await RedisCluster.start();
    ({ url } = cluster);
  }, 60_000);
  afterAll(() => cluster.stop());

  storeContract(() => redisLab(url));

  test("spreads partitions over the nodes", async () => {
    const store = await openedStore(url);
    for (const partition of [0, 1, 2, 3]) {
      await (await Owner.of(store, partition)).write(writeOf("order/1"));
    }
    const sizes = cluster.masters.map((master) => master.call("dbsize"));
    expect((await Promise.all(sizes)).filter((size) => Number(size) > 0).length).toBeGreaterThan(1);
    expect(store.durability()).toBe("second");
    await store.close();
  });

  test("takes nothing for missing while a partition's slot moves to another node", async () => {
    const prefix = newPrefix();
    const store = await openedStore(url, { prefix });
    const owner = await Owner.of(store);
    const inbox = [{ id: "m" }];
    await owner.write(writeOf("order/1", { inbox, termsAdded: ["a"], history: ["h"] }));
    const again = { instances: [writeOf("order/1", { expectedVersion: 1, inbox })] };
    const outcome = () => owner.commit(again).then(({ kind }) => kind, kindOfRefusal);
    let moves = true;
    const moving = cluster.move(`{${prefix}:p01}`, { pauseMs: 300 }).finally(() => {
      moves = false;
    });
    const kinds = new Set<string>();
    while (moves) kinds.add(await outcome());
    await moving;
    expect([...kinds]).toEqual(expect.arrayContaining(["store-unavailable"]));
    await expect.poll(outcome, { timeout: 10_000 }).toBe("duplicate");
    kinds.delete("store-unavailable");
    kinds.delete("duplicate");
    expect([...kinds]).toEqual([]);
    await store.close();
  });

  test("goes on when a node's scripts are gone", async () => {
    const store = await openedStore(url);
    const owner = await Owner.of(store);
    await owner.write(writeOf("order/1"));
    for (const master of cluster.masters) await master.call("script", "flush");
    await owner.write(writeOf("order/2"));
    await store.close();
  });
});

describe("the Redis store behind Sentinel", () => {
  let servers: RedisSentinel;
  let url: string;

  beforeAll(async () => {
    servers = await RedisSentinel.start({ replicas: 1, sentinels: 1 });
    ({ url } = servers);
  }, 60_000);
  afterAll(() => servers.stop());

  test("follows a failover, and finds what the new master was given", async () => {
    const store = await openedStore(`${url}?replicas=1`);
    const owner = await Owner.of(store);
    const commit = owner.commitOf({ instances: [writeOf("order/1")] });
    const kind = () =>
      store.commit(commit).then(
        (answer) => answer.kind,
        () => "none",
      );
    await expect.poll(kind, { timeout: 20_000 }).toBe("committed");
    await servers.servers[0]?.kill();
    const found = () => store.load(1, ["order/1"]).catch(() => []);
    await expect.poll(found, { timeout: 20_000 }).toMatchObject([{ version: 1 }]);
    const claim = () => store.claim(1, "owner", 60_000).catch(() => undefined);
    await expect.poll(claim, { timeout: 20_000 }).toMatchObject({ epoch: 2 });
    await store.close();
  });
});
