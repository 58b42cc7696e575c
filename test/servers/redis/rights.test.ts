import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dumpOf, Owner, writeOf } from "../../contracts/store-lab.ts";
import { RedisServer } from "../../support/redis-server.ts";
import { openedStore } from "./opened.ts";

const readme = readFileSync("src/stores/redis/README.md", "utf8");

let server: RedisServer;
let url: string;

beforeAll(async () => {
  server = await RedisServer.start({ log: "always" });
  url = server.url.replace("//", "//waybill:secret@");
});
afterAll(() => server.stop());

async function allow(rights: string): Promise<void> {
  const [command = "", ...args] = rights.split(" ");
  const admin = new Redis(server.port);
  await admin.call(command, ...args);
  admin.disconnect();
}

test("a user with the rights that the README lists can do everything", async () => {
  const [, rights = ""] = /`(ACL SETUSER [^`]+)`/.exec(readme) ?? [];
  await allow(rights);
  const store = await openedStore(url, { prefix: "waybill" });
  expect(store.warnings()).toEqual([]);
  const me = { id: "me", workflows: ["order@1"] };
  expect(await store.announce(me, 60_000)).toMatchObject({ members: [me] });
  await store.leave("me");
  const owner = await Owner.of(store);
  const inbox = [{ id: "m" }];
  await owner.write(writeOf("order/1", { inbox, history: ["h"], termsAdded: ["a"] }));
  await owner.commit({
    outboxAdded: [{ seq: 1, entry: "out" }],
    timersArmed: [{ id: "t", due: 1 }],
    deadLettersAdded: [{ id: "d", entry: "dead" }],
  });
  await dumpOf(store, ["order/1"]);
  expect(await store.postpone(1, "t", 5)).toBe(true);
  expect(await store.renew(1, owner.epoch, 1_000)).toBeDefined();
  await store.release(1, owner.epoch);
  await store.close();
});

test("a user without rights is told what is missing, and not tried for ever", async () => {
  await allow("ACL SETUSER waybill reset on >secret ~other:* +@all");
  await expect(openedStore(url, { prefix: "waybill" })).rejects.toMatchObject({
    code: "store-unauthorized",
    retryable: false,
    action: expect.stringContaining("README.md"),
  });
});
