import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storeContract } from "../../contracts/store-contract.ts";
import { Owner, writeOf } from "../../contracts/store-lab.ts";
import { RedisServer } from "../../support/redis-server.ts";
import { openedStore, redisLab } from "./opened.ts";

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start({ log: "always" });
});
afterAll(() => server.stop());

describe("the Redis store", () => {
  storeContract(() => redisLab(server.url));

  test("sends commits on four connections of their own, which are made when they are needed", async () => {
    const alone = await RedisServer.start();
    const store = await openedStore(alone.url);
    const owners = await Promise.all([0, 1, 2, 3].map((partition) => Owner.of(store, partition)));
    await store.leave("nobody");
    expect(await lastCommands(alone)).toEqual(["hdel"]);
    await Promise.all(owners.map((owner) => owner.commit({})));
    await Promise.all(owners.map((owner) => owner.commit({})));
    expect(await lastCommands(alone)).toEqual(["hdel", ...owners.map(() => "evalsha")]);
    await store.close();
    await alone.stop();
  });

  test("keeps the time of a dead letter that comes again", async () => {
    const store = await openedStore(server.url);
    const owner = await Owner.of(store);
    const deadLettersAdded = [{ id: "d", entry: "dead" }];
    const first = await owner.commit({ deadLettersAdded });
    await store.now();
    await expect.poll(() => store.now()).toBeGreaterThan(Object(first).now + 2);
    await owner.commit({ deadLettersAdded });
    expect((await store.deadLetters({ limit: 9 })).items).toMatchObject([
      { at: Object(first).now },
    ]);
    await store.close();
  });

  describe("what lies with an instance until it is long", () => {
    const long = (text: string) => `${text} ${"x".repeat(300)}`;

    test("is the same before and after", async () => {
      const store = await openedStore(server.url);
      const owner = await Owner.of(store);
      const texts = ["one", "two\n words", long("three"), "", long("four"), "5:five \\s \\n"];
      for (const [version, text] of texts.entries()) {
        const write = { expectedVersion: version, inbox: [{ id: text }], history: [text, "more"] };
        await owner.write(writeOf("order/1", write));
        const seen = texts.slice(0, version + 1);
        expect((await owner.inboxIds("order/1")).toSorted()).toEqual(seen.toSorted());
        expect(await owner.historyOf("order/1")).toEqual(seen.flatMap((each) => [each, "more"]));
        expect(await store.history(1, "order/1", 1, 1)).toEqual([{ number: 2, entry: "more" }]);
        const [stored] = await store.load(1, ["order/1"]);
        expect(stored).toMatchObject({ version: version + 1, record: expect.stringMatching(/^{/) });
        const again = { expectedVersion: version + 1, inbox: [{ id: "new" }, { id: text }] };
        expect(await owner.commit({ instances: [writeOf("order/1", again)] })).toEqual({
          kind: "duplicate",
          messages: [{ key: "order/1", id: text }],
        });
      }
      await store.close();
    });

    test("forgets and goes as a whole", async () => {
      const store = await openedStore(server.url, { prefix: "long" });
      const owner = await Owner.of(store);
      const ids = ["a b", "a", "b"];
      for (const kept of [[], [long("far"), long("away")]]) {
        const all = [...ids, ...kept];
        const inbox = all.map((id) => ({ id }));
        await owner.write(writeOf("order/1", { inbox, history: all, termsAdded: ["t"] }));
        const forgotten = { expectedVersion: 1, inboxForget: ["b", "a b", "none"] };
        await owner.write(writeOf("order/1", forgotten));
        expect((await owner.inboxIds("order/1")).toSorted()).toEqual(["a", ...kept].toSorted());
        await owner.write(writeOf("order/1", { expectedVersion: 2, record: undefined }));
        expect(await server.call("keys", "long:*order*")).toEqual([]);
      }
      await store.close();
    });
  });

  test("counts terms of any text, and none that is gone", async () => {
    const store = await openedStore(server.url, { prefix: "terms" });
    const owner = await Owner.of(store);
    const terms = ["name=Ann Example", "two\nlines", "back\\slash", "back\\\\slash", "plain", ""];
    await owner.write(writeOf("order/1", { termsAdded: terms }), writeOf("order/2"));
    expect(await store.count("order")).toEqual(Object.fromEntries(terms.map((term) => [term, 1])));
    expect(await store.count("order", ["two\nlines", "none"])).toEqual({ "two\nlines": 1 });
    const query = { workflow: "order", limit: 9 };
    for (const term of terms) {
      expect((await store.list({ ...query, terms: [term] })).items).toHaveLength(1);
    }
    await owner.write(writeOf("order/1", { expectedVersion: 1, termsRemoved: terms.slice(2) }));
    expect(await store.count("order")).toEqual({ "name=Ann Example": 1, "two\nlines": 1 });
    await owner.write(writeOf("order/1", { expectedVersion: 2, record: undefined }));
    expect(await store.count("order")).toEqual({});
    expect(await server.call("keys", "terms:*:t*:order*")).toEqual([]);
    await store.close();
  });

  test("refuses as a whole what has no place in an order", async () => {
    const store = await openedStore(server.url);
    const owner = await Owner.of(store);
    const instances = [writeOf("order/1")];
    const timersArmed = [{ id: "t", due: Number.NaN }];
    await expect(owner.commit({ instances, timersArmed })).rejects.toBeInstanceOf(RangeError);
    const outboxAdded = [{ seq: Number.NaN, entry: "e" }];
    await expect(owner.commit({ instances, outboxAdded })).rejects.toBeInstanceOf(RangeError);
    expect(await store.load(1, ["order/1"])).toEqual([undefined]);
    await store.close();
  });

  test("finds the few that fit among many that do not", async () => {
    const store = await openedStore(server.url, { callDeadlineMs: 20_000 });
    const owner = await Owner.of(store);
    const term = (index: number) => (index % 2_000 === 7 ? ["rare", "all"] : ["all", "other"]);
    const writes = Array.from({ length: 5_000 }, (_, index) =>
      writeOf(`order/${index}`, { termsAdded: term(index) }),
    );
    await owner.write(...writes);
    const updated = await store.now();
    await expect.poll(() => store.now()).toBeGreaterThan(updated + 2);
    await owner.write(writeOf("order/3", { expectedVersion: 1 }));
    const query = { workflow: "order", limit: 9 };
    const rare = await store.list({ ...query, terms: ["all", "rare"] });
    expect(rare.items.map(({ key }) => key)).toEqual(["order/7", "order/4007", "order/2007"]);
    const late = await store.list({ ...query, terms: ["all"], updatedAfter: updated });
    expect(late.items.map(({ key }) => key)).toEqual(["order/3"]);
    await store.close();
  });
});

/** What each client has asked for last, in the order in which they connected. */
async function lastCommands(alone: RedisServer): Promise<readonly (string | undefined)[]> {
  const lines = String(await alone.call("client", "list"))
    .trim()
    .split("\n");
  // The last one is who asks.
  return lines.slice(0, -1).map((line) => /cmd=(\S+)/.exec(line)?.[1]);
}
