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
