import { Redis } from "ioredis";
import { afterEach, describe, expect, test } from "vitest";
import { Owner, writeOf } from "../../contracts/store-lab.ts";
import { freePort, RedisServer, type RedisServerOptions } from "../../support/redis-server.ts";
import { newPrefix, openedStore, redisStore } from "./opened.ts";

const endings: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function serverWith(options: RedisServerOptions): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  endings.push(() => server.stop());
  return server;
}

async function storeAt(url: string, prefix = newPrefix()) {
  const store = await openedStore(url, { prefix });
  endings.push(() => store.close());
  return store;
}

/** A master that writes each command to disk, and a replica that has caught up. */
async function replicated() {
  const settingsOfMaster = ["--repl-diskless-sync-delay", "0"];
  const master = await serverWith({ log: "always", settings: settingsOfMaster });
  const settings = ["--replicaof", "127.0.0.1", String(master.port)];
  const replica = await serverWith({ log: "always", settings });
  const found = () => storeAt(`${master.url}?replicas=1`).then((one) => one.warnings());
  await expect.poll(found, { timeout: 20_000, interval: 100 }).toEqual([]);
  return { master, replica };
}

describe("what survives", () => {
  test.each([
    ["fsync", { log: "always" }, []],
    ["second", { log: "everysec" }, [/`appendfsync always` \(it is everysec\)/]],
    ["memory", { log: "none" }, [/keeps no append-only file/]],
    [
      "fsync",
      { log: "always", settings: ["--maxmemory-policy", "allkeys-lru"] },
      [/may throw away instances .*allkeys-lru/],
    ],
    [
      "second",
      { log: "always", settings: ["--rename-command", "CONFIG", ""] },
      [/does not tell its `appendfsync`/],
    ],
  ] as const)("is %s with %j", async (level, options, warnings) => {
    const store = await storeAt((await serverWith(options)).url);
    expect(store.durability()).toBe(level);
    const expected = warnings.map((warning) => expect.stringMatching(warning));
    expect(store.warnings()).toEqual(expected);
  });

  test("is the loss of a machine when commits wait for a replica", async () => {
    const { master } = await replicated();
    const store = await storeAt(`${master.url}?replicas=1`);
    expect(store.durability()).toBe("replicated");
  });

  test("is found out anew with every connection", async () => {
    const server = await serverWith({ log: "always" });
    const store = await storeAt(server.url);
    expect(store.durability()).toBe("fsync");
    const admin = new Redis(server.port);
    await admin.config("SET", "appendfsync", "everysec");
    await admin.call("client", "kill", "type", "normal", "skipme", "yes");
    admin.disconnect();
    await expect.poll(() => store.durability(), { timeout: 20_000 }).toBe("second");
  });

  test("is told not to count a replica that still gets its first copy", async () => {
    const settings = ["--repl-diskless-sync-delay", "30"];
    const master = await serverWith({ log: "always", settings });
    const replicaof = ["--replicaof", "127.0.0.1", String(master.port)];
    await serverWith({ settings: replicaof });
    const admin = new Redis(master.port);
    await expect.poll(() => admin.info("replication"), { timeout: 20_000 }).toMatch(/slave0:/);
    admin.disconnect();
    const store = await storeAt(`${master.url}?replicas=1`);
    expect(store.warnings()).toEqual([expect.stringMatching(/0 replicas where commits wait/)]);
  });

  test("is told honestly when commits wait for replicas without a log on disk", async () => {
    const master = await serverWith({ log: "none" });
    const store = await storeAt(`${master.url}?replicas=1`);
    expect(store.durability()).toBe("memory");
    expect(store.warnings().join(" ")).toMatch(/0 replicas where commits wait for 1.*without/);
  });
});

describe("a commit that waits for a replica", () => {
  test("resolves once the replica has it, also when it is a repeated one", async () => {
    const { master, replica } = await replicated();
    const store = await storeAt(`${master.url}?replicas=1&replicaWait=1s`);
    const owner = await Owner.of(store);
    const commit = owner.commitOf({ instances: [writeOf("order/1")] });
    const first = await store.commit(commit);
    expect(first).toMatchObject({ kind: "committed" });
    replica.signal("SIGSTOP");
    const next = owner.commitOf({ instances: [writeOf("order/2")] });
    await expect(store.commit(next)).rejects.toMatchObject({
      code: "store-unavailable",
      retryable: true,
    });
    await expect(store.commit(next)).rejects.toThrow(/0 of 1 replicas/);
    replica.signal("SIGCONT");
    const again = () => store.commit(next).catch(() => undefined);
    await expect.poll(again, { timeout: 20_000 }).toMatchObject({ sequence: 2 });
  });

  test("is not taken for replicated by a connection that only repeated it", async () => {
    const { master, replica } = await replicated();
    const prefix = newPrefix();
    const plain = await storeAt(master.url, prefix);
    const owner = await Owner.of(plain);
    replica.signal("SIGSTOP");
    const commit = owner.commitOf({ instances: [writeOf("order/1")] });
    const first = await plain.commit(commit);
    const gated = await storeAt(`${master.url}?replicas=1&replicaWait=200ms`, prefix);
    await expect(gated.commit(commit)).rejects.toMatchObject({ code: "store-unavailable" });
    replica.signal("SIGCONT");
    const again = () => gated.commit(commit).catch(() => undefined);
    await expect.poll(again, { timeout: 20_000 }).toEqual(first);
  });
});

describe("opening", () => {
  test("says that the server cannot be reached, and succeeds once it can", async () => {
    const port = await freePort();
    const url = `redis://user:secret@127.0.0.1:${port}`;
    const store = redisStore(url, { callDeadlineMs: 300 });
    endings.push(() => store.close());
    const refused = store.open({ partitions: 2 });
    await expect(refused).rejects.toMatchObject({ code: "store-unavailable", retryable: true });
    await expect(refused).rejects.toThrow(/ECONNREFUSED/);
    await expect(refused).rejects.not.toThrow(/secret/);
  });

  test("says that the password is wrong", async () => {
    const server = await serverWith({ settings: ["--requirepass", "right"] });
    const wrong = redisStore(server.url.replace("//", "//:wrong@"), { callDeadlineMs: 500 });
    const unauthorized = { code: "store-unauthorized", retryable: false };
    await expect(wrong.open({ partitions: 2 })).rejects.toMatchObject(unauthorized);
    const none = redisStore(server.url, { callDeadlineMs: 500 });
    await expect(none.open({ partitions: 2 })).rejects.toMatchObject(unauthorized);
    await storeAt(server.url.replace("//", "//:right@"));
  });

  test("at the same time by several users of one store connects once", async () => {
    const server = await serverWith({});
    const store = redisStore(server.url);
    endings.push(() => store.close());
    await Promise.all([store.open({ partitions: 2 }), store.open({ partitions: 2 })]);
    await expect(store.open({ partitions: 3 })).rejects.toMatchObject({ code: "partition-count" });
    expect(await store.partitions()).toHaveLength(2);
  });
});
