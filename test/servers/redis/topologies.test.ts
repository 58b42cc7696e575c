import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { storeContract } from "../../contracts/store-contract.ts";
import { Owner, writeOf } from "../../contracts/store-lab.ts";
import { freePort, RedisServer } from "../../support/redis-server.ts";
import { openedStore, redisLab } from "./opened.ts";

async function onAdmin<Result>(port: number, task: (admin: Redis) => Promise<Result>) {
  const admin = new Redis(port);
  try {
    return await task(admin);
  } finally {
    admin.disconnect();
  }
}

describe("the Redis store on a cluster", () => {
  const nodes: RedisServer[] = [];
  let url: string;

  beforeAll(async () => {
    const busPorts: number[] = [];
    for (let node = 0; node < 3; node += 1) {
      const busPort = await freePort();
      const settings = ["--cluster-enabled", "yes", "--cluster-port", String(busPort)];
      nodes.push(await RedisServer.start({ log: "everysec", settings }));
      busPorts.push(busPort);
    }
    await joined(nodes, busPorts);
    url = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
  });
  afterAll(() => Promise.all(nodes.map((node) => node.stop())));

  storeContract(() => redisLab(url));

  test("spreads partitions over the nodes", async () => {
    const store = await openedStore(url);
    for (const partition of [0, 1, 2, 3]) {
      await (await Owner.of(store, partition)).write(writeOf("order/1"));
    }
    const sizes = nodes.map(({ port }) => onAdmin(port, (admin) => admin.dbsize()));
    expect((await Promise.all(sizes)).filter((size) => size > 0).length).toBeGreaterThan(1);
    expect(store.durability()).toBe("second");
    await store.close();
  });

  test("goes on when a node's scripts are gone", async () => {
    const store = await openedStore(url);
    const owner = await Owner.of(store);
    await owner.write(writeOf("order/1"));
    for (const { port } of nodes) await onAdmin(port, (admin) => admin.script("FLUSH"));
    await owner.write(writeOf("order/2"));
    await store.close();
  });
});

/** Makes a cluster of the nodes, with an equal share of the slots each. */
async function joined(nodes: readonly RedisServer[], busPorts: readonly number[]): Promise<void> {
  const share = Math.ceil(16_384 / nodes.length);
  for (const [index, { port }] of nodes.entries()) {
    await onAdmin(port, async (admin) => {
      const last = Math.min(16_383, (index + 1) * share - 1);
      await admin.call("cluster", "addslotsrange", index * share, last);
      const [first] = nodes;
      await admin.call("cluster", "meet", "127.0.0.1", first?.port ?? 0, busPorts[0] ?? 0);
    });
  }
  for (const { port } of nodes) {
    await onAdmin(port, async (admin) => {
      const isJoined = async () => {
        const info = String(await admin.call("cluster", "info"));
        expect(info).toMatch(/cluster_state:ok/);
        expect(info).toMatch(/cluster_known_nodes:3/);
      };
      await vi.waitFor(isJoined, { timeout: 20_000, interval: 100 });
    });
  }
}

describe("the Redis store behind Sentinel", () => {
  const servers: RedisServer[] = [];
  let master: RedisServer;
  let sentinelPort: number;
  let url: string;

  beforeAll(async () => {
    master = await RedisServer.start({
      log: "always",
      settings: ["--repl-diskless-sync-delay", "0"],
    });
    const settings = ["--replicaof", "127.0.0.1", String(master.port)];
    const replica = await RedisServer.start({ log: "always", settings });
    const sentinel = await RedisServer.sentinel(master.port);
    sentinelPort = sentinel.port;
    servers.push(sentinel, replica, master);
    url = `redis+sentinel://127.0.0.1:${sentinel.port}/mymaster`;
  });
  afterAll(async () => {
    for (const server of servers) await server.stop();
  });

  test("follows a failover, and finds what the new master was given", async () => {
    const store = await openedStore(`${url}?replicas=1`);
    const owner = await Owner.of(store);
    const commit = owner.commitOf({ instances: [writeOf("order/1")] });
    const kind = () =>
      store.commit(commit).then(
        (answer) => answer.kind,
        () => "none",
      );
    await expect.poll(kind, { timeout: 10_000 }).toBe("committed");
    await known();
    await master.kill();
    const found = () => store.load(1, ["order/1"]).catch(() => []);
    await expect.poll(found, { timeout: 20_000 }).toMatchObject([{ version: 1 }]);
    const claim = () => store.claim(1, "owner", 60_000).catch(() => undefined);
    await expect.poll(claim, { timeout: 20_000 }).toMatchObject({ epoch: 2 });
    await store.close();
  });

  /** Waits until the Sentinel has seen the replica, which it asks the master for now and then. */
  async function known(): Promise<void> {
    await onAdmin(sentinelPort, async (admin) => {
      const state = async () => String(await admin.call("info", "sentinel"));
      await expect.poll(state, { timeout: 20_000, interval: 200 }).toMatch(/slaves=1/);
    });
  }
});
