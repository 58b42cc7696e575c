import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import type { Commit, CommitAnswer } from "../../../src/commit.ts";
import type { RedisStore } from "../../../src/stores/redis/store.ts";
import { Owner, writeOf } from "../../contracts/store-lab.ts";
import { RedisCluster } from "../../support/redis-cluster.ts";
import { RedisServer, type RedisServerOptions } from "../../support/redis-server.ts";
import { newPrefix, redisStore } from "./opened.ts";

const gate = "?replicas=1&replicaFsync=yes";
const endings: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

type Log = NonNullable<RedisServerOptions["log"]>;

interface Pair {
  readonly master: RedisServer;
  readonly replica: RedisServer;
}

async function serverWith(options: RedisServerOptions): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  endings.push(() => server.stop());
  return server;
}

async function pairOf(ofMaster: Log, ofReplica: Log): Promise<Pair> {
  const master = await serverWith({ log: ofMaster, settings: ["--repl-diskless-sync-delay", "0"] });
  const settings = ["--replicaof", "127.0.0.1", String(master.port)];
  const pair = { master, replica: await serverWith({ log: ofReplica, settings }) };
  await isFollowed(pair);
  return pair;
}

/** Resolves once the replica receives what the master writes. */
async function isFollowed({ master }: Pair): Promise<void> {
  await expect.poll(() => master.call("info", "replication")).toMatch(/state=online/);
}

async function storeAt(url: string, prefix = newPrefix(), partitions = 4) {
  const store = redisStore(url, { prefix });
  endings.push(() => store.close());
  await store.open({ partitions });
  return store;
}

/** As its owner would, repeats a commit until it is answered. */
async function answerTo(store: RedisStore, commit: Commit) {
  let answer: CommitAnswer | undefined;
  const again = async () => {
    answer = await store.commit(commit).catch(() => undefined);
    return answer;
  };
  await expect.poll(again).toBeDefined();
  return answer;
}

/** Redis has WAITAOF since 7.2. */
async function hasWaitAof(server: RedisServer): Promise<boolean> {
  const [found] = (await server.call("command", "info", "waitaof")) as readonly unknown[];
  return found !== null && found !== undefined;
}

/** Whether Redis is too old: then it must be refused, so that every test tells something on every server. */
async function refuses(server: RedisServer, url = server.url): Promise<boolean> {
  if (await hasWaitAof(server)) return false;
  const opening = storeAt(`${url}${gate}`);
  await expect(opening).rejects.toMatchObject({ code: "store-unsupported", retryable: false });
  await expect(opening).rejects.toMatchObject({ action: expect.stringContaining("Redis 7.2") });
  return true;
}

const unsynced = {
  code: "store-unavailable",
  retryable: true,
  message: expect.stringContaining("nly 0 of 1 replicas had on disk"),
  action: expect.stringContaining("`appendonly yes`"),
};

describe("a commit that waits until a replica has synced it (refused where Redis is older than 7.2)", () => {
  test("resolves then and not before, and is applied once", async () => {
    const pair = await pairOf("always", "everysec");
    if (await refuses(pair.master)) return;
    const prefix = newPrefix();
    const store = await storeAt(`${pair.master.url}${gate}`, prefix);
    expect(store.durability()).toBe("replicated");
    const owner = await Owner.of(store);
    await answerTo(store, owner.commitOf({ instances: [writeOf("order/1")] }));
    await expect.poll(() => store.warnings()).toEqual([]);
    // From now on it has everything in memory and in its file, and syncs nothing.
    await pair.replica.call("config", "set", "appendfsync", "no");
    const commit = owner.commitOf({ instances: [writeOf("order/2", { history: ["h"] })] });
    await expect(store.commit(commit)).rejects.toMatchObject(unsynced);
    const other = await storeAt(`${pair.master.url}${gate}`, prefix);
    await expect(other.commit(commit)).rejects.toMatchObject(unsynced);
    // In memory the replica has it.
    const plain = await storeAt(`${pair.master.url}?replicas=1`, prefix);
    expect(await plain.commit(commit)).toMatchObject({ kind: "committed" });
    await pair.replica.call("config", "set", "appendfsync", "everysec");
    expect(await answerTo(store, commit)).toMatchObject({ kind: "committed", sequence: 2 });
    expect(await owner.historyOf("order/2")).toEqual(["h"]);
    expect(await store.load(1, ["order/2"])).toMatchObject([{ version: 1 }]);
  });

  test("resolves only when the master has synced it too", async () => {
    const pair = await pairOf("everysec", "always");
    if (await refuses(pair.master)) return;
    const store = await storeAt(`${pair.master.url}${gate}`);
    expect(store.durability()).toBe("replicated");
    expect(store.warnings()).toEqual([expect.stringMatching(/waits up to a second .*everysec/)]);
    const owner = await Owner.of(store);
    await pair.master.call("config", "set", "appendfsync", "no");
    const commit = owner.commitOf({ instances: [writeOf("order/1")] });
    await expect(store.commit(commit)).rejects.toThrow(/Redis itself did not have on disk/);
    await pair.master.call("config", "set", "appendfsync", "always");
    expect(await answerTo(store, commit)).toMatchObject({ kind: "committed", sequence: 1 });
  });

  test("does not wait for the second that a replica lets pass between answers", async () => {
    const pair = await pairOf("always", "always");
    if (await refuses(pair.master)) return;
    const store = await storeAt(`${pair.master.url}${gate}`);
    const owner = await Owner.of(store);
    const since = performance.now();
    for (let number = 0; number < 20; number += 1) await owner.write(writeOf(`order/${number}`));
    expect(performance.now() - since).toBeLessThan(10_000);
  });

  test("keeps no other partition waiting", async () => {
    const pair = await pairOf("everysec", "everysec");
    if (await refuses(pair.master)) return;
    const partitions = Array.from({ length: 16 }, (_, partition) => partition);
    const url = `${pair.master.url}${gate}&replicaWait=1900ms`;
    const store = await storeAt(url, newPrefix(), partitions.length);
    const owners = await Promise.all(partitions.map((partition) => Owner.of(store, partition)));
    const [first] = owners;
    // A replica that was started just now takes its time.
    if (first) await answerTo(store, first.commitOf({}));
    const commits = owners.map((owner) => owner.commit({ instances: [writeOf("order/1")] }));
    for (const answer of await Promise.all(commits)) expect(answer.kind).toBe("committed");
  });

  test("fails in time when the replica keeps no log, and goes on once it does", async () => {
    const pair = await pairOf("always", "none");
    if (await refuses(pair.master)) return;
    const prefix = newPrefix();
    const store = await storeAt(`${pair.master.url}${gate}`, prefix);
    const owner = await Owner.of(store);
    const commit = owner.commitOf({ instances: [writeOf("order/1", { history: ["h"] })] });
    await expect(store.commit(commit)).rejects.toMatchObject(unsynced);
    const told = [expect.stringMatching(/fail while .*0 of 1 replicas.*appendonly/)];
    expect(store.warnings()).toEqual(told);
    // Another process finds it out as it starts.
    expect((await storeAt(`${pair.master.url}${gate}`, prefix)).warnings()).toEqual(told);
    await pair.replica.call("config", "set", "appendonly", "yes");
    expect(await answerTo(store, commit)).toMatchObject({ kind: "committed", sequence: 1 });
    expect(await owner.historyOf("order/1")).toEqual(["h"]);
    await expect.poll(() => store.warnings()).toEqual([]);
  });

  test("is refused where the master keeps no log", async () => {
    const pair = await pairOf("none", "always");
    if (await refuses(pair.master)) return;
    const url = `${pair.master.url}${gate}`;
    const unsupported = {
      code: "store-unsupported",
      retryable: false,
      action: expect.stringContaining("`appendonly yes`"),
    };
    await expect(storeAt(url)).rejects.toMatchObject(unsupported);
    await pair.master.call("config", "set", "appendonly", "yes");
    const store = await storeAt(url);
    const owner = await Owner.of(store);
    await pair.master.call("config", "set", "appendonly", "no");
    const commit = owner.commitOf({ instances: [writeOf("order/1", { history: ["h"] })] });
    await expect(store.commit(commit)).rejects.toMatchObject(unsupported);
    await pair.master.call("client", "kill", "type", "normal", "skipme", "yes");
    await expect.poll(() => store.warnings()).toEqual([expect.stringMatching(/appendonly yes/)]);
    await pair.master.call("config", "set", "appendonly", "yes");
    expect(await answerTo(store, commit)).toMatchObject({ kind: "committed", sequence: 1 });
    expect(await owner.historyOf("order/1")).toEqual(["h"]);
  });

  test("is refused where Redis does not know WAITAOF, even before a replica is there", async () => {
    const server = await serverWith({ log: "always" });
    const settings = ["--rename-command", "WAITAOF", ""];
    const isNew = await hasWaitAof(server);
    const old = isNew ? await serverWith({ log: "always", settings }) : server;
    expect(await refuses(old)).toBe(true);
  });

  test("needs no other rights than the README lists", async () => {
    const pair = await pairOf("always", "always");
    if (await refuses(pair.master)) return;
    const { master } = pair;
    const readme = readFileSync("src/stores/redis/README.md", "utf8");
    const [, rights = ""] = /`(ACL SETUSER [^`]+)`/.exec(readme) ?? [];
    const [command = "", ...args] = rights.split(" ");
    await master.call(command, ...args);
    const url = `${master.url.replace("//", "//waybill:secret@")}${gate}`;
    const store = await storeAt(url, "waybill");
    expect(store.warnings()).toEqual([]);
    await (await Owner.of(store)).write(writeOf("order/1"));
  });
});

describe("the loss of power of master and replica (refused where Redis is older than 7.2)", () => {
  // What is not synced is what a loss of power takes. The disks stand as they were when nothing was synced any more.
  const play = async ({ master, replica }: Pair, settings: string) => {
    const prefix = newPrefix();
    const store = await storeAt(`${master.url}${settings}`, prefix);
    const owner = await Owner.of(store);
    const first = owner.commitOf({ instances: [writeOf("order/1")] });
    const acknowledged: string[] = [];
    const committed = (key: string) => () => void acknowledged.push(key);
    await answerTo(store, first).then(committed("order/1"));
    for (const server of [master, replica]) {
      await server.call("config", "set", "appendfsync", "no");
      server.copyData();
    }
    const second = owner.commitOf({ instances: [writeOf("order/2", { history: ["h"] })] });
    await store.commit(second).then(committed("order/2"), () => undefined);
    await store.close();
    await Promise.all([master.kill(), replica.kill()]);
    for (const server of [master, replica]) {
      server.restoreData();
      await server.run();
    }
    await isFollowed({ master, replica });
    const after = await storeAt(`${master.url}${settings}`, prefix);
    const found = await after.load(1, acknowledged);
    const lost = acknowledged.filter((_, index) => found[index] === undefined);
    return { lost, after, second };
  };

  test("takes nothing that was acknowledged, and what was not is committed again", async () => {
    const pair = await pairOf("everysec", "everysec");
    if (await refuses(pair.master)) return;
    const { lost, after, second } = await play(pair, gate);
    expect(lost).toEqual([]);
    expect(await answerTo(after, second)).toMatchObject({ kind: "committed", sequence: 2 });
    expect(await after.history(1, "order/2", 0, 10)).toHaveLength(1);
  });

  test("takes what replicas had in memory only", async () => {
    const pair = await pairOf("everysec", "everysec");
    const { lost } = await play(pair, "?replicas=1");
    expect(lost).toEqual(["order/2"]);
  });
});

test("on a cluster each partition waits for the replica of its own master (refused where Redis is older than 7.2)", async () => {
  const cluster = await RedisCluster.start({ replicas: true, log: "always" });
  endings.push(() => cluster.stop());
  const [master] = cluster.masters;
  const [replica] = cluster.replicas;
  if (master === undefined || replica === undefined) throw new Error("There are no servers.");
  if (await refuses(master, cluster.url)) return;
  const prefix = newPrefix();
  const store = await storeAt(`${cluster.url}${gate}`, prefix, 16);
  expect(store.durability()).toBe("replicated");
  expect(store.warnings()).toEqual([]);
  const partitions = Array.from({ length: 16 }, (_, partition) => partition);
  const owners = await Promise.all(partitions.map((partition) => Owner.of(store, partition)));
  const isOnFirst = async (partition: number) => {
    const name = `{${prefix}:p${String(partition).padStart(2, "0")}}`;
    return Number(await master.call("cluster", "keyslot", name)) < Math.ceil(16_384 / 3);
  };
  const onFirst = await Promise.all(partitions.map(isOnFirst));
  const write = (key: string) =>
    Promise.all(
      owners.map((owner) =>
        owner.commit({ instances: [writeOf(key)] }).then(
          ({ kind }) => kind,
          (error: Error) => error.message,
        ),
      ),
    );
  expect(new Set(await write("order/1"))).toEqual(new Set(["committed"]));
  for (const one of cluster.masters) await one.call("script", "flush");
  expect(new Set(await write("order/2"))).toEqual(new Set(["committed"]));
  await replica.call("config", "set", "appendfsync", "no");
  const outcomes = await write("order/3");
  for (const [partition, outcome] of outcomes.entries()) {
    expect(outcome).toMatch(onFirst[partition] ? /0 of 1 replicas/ : /committed/);
  }
  expect(new Set(onFirst)).toEqual(new Set([true, false]));
  await replica.call("config", "set", "appendfsync", "always");
  const moved = partitions.find((partition) => onFirst[partition]) ?? 0;
  const name = `{${prefix}:p${String(moved).padStart(2, "0")}}`;
  await cluster.move(name, { pauseMs: 0 });
  const owner = owners[moved] as Owner;
  const commit = owner.commitOf({ instances: [writeOf("order/4", { history: ["h"] })] });
  expect(await answerTo(store, commit)).toMatchObject({ kind: "committed" });
  expect(await owner.historyOf("order/4")).toEqual(["h"]);
});
