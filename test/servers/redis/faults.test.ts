import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RedisStore } from "../../../src/stores/redis/store.ts";
import { dumpOf, Owner, writeOf } from "../../contracts/store-lab.ts";
import { RedisServer } from "../../support/redis-server.ts";
import { newPrefix, openedStore } from "./opened.ts";
import { Proxy } from "./proxy.ts";

let server: RedisServer;
let admin: Redis;
let proxy: Proxy;
let prefix: string;
/** Goes through the proxy. */
let store: RedisStore;
/** Another process, without a proxy. */
let other: RedisStore;
let owner: Owner;

const unavailable = { code: "store-unavailable", retryable: true };

beforeAll(async () => {
  server = await RedisServer.start({ log: "always" });
  admin = new Redis(server.port);
  admin.on("error", () => {});
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});
beforeEach(async () => {
  prefix = newPrefix();
  proxy = await Proxy.to(server.port);
  store = await openedStore(proxy.url, { prefix, callDeadlineMs: 1_500 });
  other = await openedStore(server.url, { prefix, callDeadlineMs: 20_000 });
  owner = await Owner.of(store);
  // The server knows the script from here on.
  await owner.commit({});
});
afterEach(async () => {
  await store.close();
  await other.close();
  await proxy.close();
});

describe("a commit whose answer was lost", () => {
  test("is rejected as unavailable, and repeated it gets the first answer", async () => {
    const commit = owner.commitOf({ instances: [writeOf("order/1", { history: ["h"] })] });
    proxy.losesAnswers = true;
    await expect(store.commit(commit)).rejects.toMatchObject(unavailable);
    proxy.losesAnswers = false;
    await reconnected();
    expect(await store.commit(commit)).toMatchObject({ kind: "committed", sequence: 2 });
    expect(await owner.historyOf("order/1")).toEqual(["h"]);
    expect(await owner.commit({})).toMatchObject({ sequence: 3 });
  });

  test("is rejected at once when its connection breaks, and sent no second time by itself", async () => {
    proxy.losesAnswers = true;
    const answer = owner.commit({ outboxAdded: [{ seq: 1, entry: "e" }] });
    const rejection = answer.catch((error: unknown) => error);
    await expect.poll(async () => (await other.outbox(1, 0, 9)).length).toBe(1);
    const before = await callsOf("evalsha");
    proxy.losesAnswers = false;
    proxy.cut();
    expect(await rejection).toMatchObject(unavailable);
    await reconnected();
    expect(await callsOf("evalsha")).toBe(before);
  });
});

describe("a commit that arrives late", () => {
  test("is refused as fenced when another has claimed the partition meanwhile", async () => {
    proxy.hold();
    const late = store.commit(owner.commitOf({ instances: [writeOf("order/1")] }));
    await other.release(1, owner.epoch);
    await other.claim(1, "other", 60_000);
    proxy.letGo();
    expect(await late).toMatchObject({ kind: "fenced", epoch: owner.epoch + 1 });
    expect(await other.load(1, ["order/1"])).toEqual([undefined]);
  });
});

describe("a call without a connection", () => {
  test("is rejected in time, and not made later", async () => {
    proxy.cut();
    await proxy.close();
    const late = owner.commit({ instances: [writeOf("order/1")] });
    await expect(late).rejects.toMatchObject(unavailable);
    proxy = await Proxy.to(server.port);
    expect(await other.load(1, ["order/1"])).toEqual([undefined]);
  });

  test("is made once there is one again, within the deadline", async () => {
    proxy.cut();
    await expect(store.leave("nobody")).rejects.toMatchObject(unavailable);
    expect(await store.now()).toBeGreaterThan(0);
  });

  test("is rejected after the store was closed", async () => {
    const held = store.now();
    await store.close();
    await expect(held).rejects.toMatchObject({ code: "store-closed" });
    await expect(store.now()).rejects.toMatchObject({ code: "store-closed" });
  });
});

describe("a server", () => {
  test("that forgot its scripts is given them again", async () => {
    await owner.write(writeOf("order/1"));
    await admin.script("FLUSH");
    await owner.write(writeOf("order/2"));
    expect((await store.list({ workflow: "order", terms: [], limit: 9 })).items).toHaveLength(2);
  });

  test("that does not answer is not waited for, and works on once it does", async () => {
    server.signal("SIGSTOP");
    await expect(store.now()).rejects.toMatchObject(unavailable);
    server.signal("SIGCONT");
    await expect.poll(() => store.now().catch(() => 0), { timeout: 20_000 }).toBeGreaterThan(0);
    await owner.write(writeOf("order/1"));
  });

  test("that was killed has kept everything when it is back", async () => {
    const inbox = [{ id: "m" }];
    await owner.write(writeOf("order/1", { inbox, termsAdded: ["a"], history: ["h"] }));
    await owner.commit({
      outboxAdded: [{ seq: 1, entry: "out" }],
      timersArmed: [{ id: "t", due: 1 }],
      deadLettersAdded: [{ id: "d", entry: "dead" }],
    });
    const before = await dumpOf(other, ["order/1"]);
    await server.kill();
    await server.run();
    await expect.poll(() => other.now().catch(() => 0), { timeout: 20_000 }).toBeGreaterThan(0);
    expect(await dumpOf(other, ["order/1"])).toEqual(before);
  });

  test("that is out of memory refuses commits as a whole, but neither leases nor what makes room", async () => {
    await owner.write(writeOf("order/1"));
    await owner.commit({ outboxAdded: [{ seq: 1, entry: "out" }] });
    const before = await dumpOf(other, ["order/1", "order/2"]);
    const commit = owner.commitOf({
      instances: [writeOf("order/1", { expectedVersion: 1 }), writeOf("order/2")],
    });
    await admin.config("SET", "maxmemory", "1");
    await expect(store.commit(commit)).rejects.toMatchObject({
      ...unavailable,
      action: expect.stringContaining("maxmemory"),
    });
    for (const added of [
      { outboxAdded: [{ seq: 2, entry: "out" }] },
      { timersArmed: [{ id: "t", due: 1 }] },
      { deadLettersAdded: [{ id: "d", entry: "dead" }] },
    ]) {
      await expect(owner.commit(added)).rejects.toMatchObject(unavailable);
    }
    expect(await dumpOf(other, ["order/1", "order/2"])).toEqual(before);
    expect(await store.renew(1, owner.epoch, 60_000)).toBeDefined();
    expect(await owner.commit({ outboxSettled: [1] })).toMatchObject({ kind: "committed" });
    await admin.config("SET", "maxmemory", "0");
    expect(await store.commit(commit)).toMatchObject({ kind: "committed" });
  });
});

describe("a key of another kind under the prefix", () => {
  test.each([
    ["i:order/2", "rpush"],
    ["m:order/2", "set"],
    ["h:order/2", "set"],
    ["w:order", "set"],
    ["terms:order", "set"],
    ["t:order/a", "set"],
    ["outbox", "set"],
    ["timers", "set"],
    ["letters", "set"],
    ["letter-entries", "set"],
  ])("(%s) makes the commit fail as a whole", async (name, command) => {
    const key = `${prefix}:{${prefix}:p01}:${name}`;
    await admin.call(command, key, "foreign");
    // So long that they do not lie with their instance.
    const write = { inbox: [{ id: "m".repeat(600) }], history: ["h".repeat(600)] };
    const commit = owner.commitOf({
      instances: ["order/1", "order/2"].map((one) => writeOf(one, { ...write, termsAdded: ["a"] })),
      outboxAdded: [{ seq: 1, entry: "out" }],
      timersArmed: [{ id: "t", due: 1 }],
      deadLettersAdded: [{ id: "d", entry: "dead" }],
    });
    const keysBefore = await admin.keys(`${prefix}:*`);
    await expect(store.commit(commit)).rejects.toMatchObject({ code: "store-unreadable" });
    expect((await admin.keys(`${prefix}:*`)).toSorted()).toEqual(keysBefore.toSorted());
    await admin.del(key);
    expect(await store.commit(commit)).toMatchObject({ kind: "committed", sequence: 2 });
  });
});

test("a commit of many thousands of everything fits", async () => {
  owner = await Owner.of(other);
  const ids = Array.from({ length: 12_000 }, (_, index) => `id ${index}`);
  const inbox = ids.map((id) => ({ id }));
  const deadLettersAdded = ids.map((id) => ({ id, entry: "e" }));
  const timersArmed = ids.map((id, index) => ({ id, due: index }));
  const outboxAdded = ids.map((entry, index) => ({ seq: index + 1, entry }));
  const write = writeOf("order/1", { inbox, history: ids, termsAdded: ids });
  const added = { instances: [write], outboxAdded, timersArmed, deadLettersAdded };
  expect(await owner.commit(added)).toMatchObject({ kind: "committed" });
  const full = { outboxEntries: 12_000, timers: 12_000, deadLetters: 12_000 };
  expect((await other.partitions())[1]).toMatchObject(full);
  expect(await owner.inboxIds("order/1")).toHaveLength(12_000);
  expect(Object.keys(await other.count("order"))).toHaveLength(12_000);
  const removed = {
    instances: [writeOf("order/1", { expectedVersion: 1, termsRemoved: ids, inboxForget: ids })],
    outboxSettled: outboxAdded.map(({ seq }) => seq),
    timersDisarmed: ids,
    deadLettersRemoved: ids,
  };
  expect(await owner.commit(removed)).toMatchObject({ kind: "committed" });
  const none = { outboxEntries: 0, timers: 0, deadLetters: 0 };
  expect((await other.partitions())[1]).toMatchObject(none);
  expect(await owner.inboxIds("order/1")).toEqual([]);
  expect(await other.count("order")).toEqual({});
});

/** Waits for the connection through the proxy, by calls that run no script. */
async function reconnected(): Promise<void> {
  const call = () =>
    store.leave("nobody").then(
      () => true,
      () => false,
    );
  await expect.poll(call, { timeout: 20_000 }).toBe(true);
}

/** How often the server has run a command. */
async function callsOf(command: string): Promise<number> {
  const statistics = await admin.info("commandstats");
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(statistics)?.[1] ?? 0);
}
