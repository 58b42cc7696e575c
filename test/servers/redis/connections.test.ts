import { afterAll, beforeAll, expect, test } from "vitest";
import { complete } from "../../../src/configuration.ts";
import { type Connections, openConnections } from "../../../src/connections.ts";
import { RedisServer } from "../../support/redis-server.ts";

const servers: RedisServer[] = [];
const opened: Connections[] = [];

beforeAll(async () => {
  servers.push(await RedisServer.start(), await RedisServer.start());
});
afterAll(async () => {
  for (const connections of opened) await connections.close();
  for (const server of servers) await server.stop();
});

test("two applications of one process with the same broker and prefix keep to their own Redis", async () => {
  for (const { url: store } of servers) {
    // Nobody connects to the broker here.
    const configuration = complete({ broker: "amqp://127.0.0.1:1", store, partitions: 2 });
    opened.push(await openConnections(configuration));
  }
  const [one, other] = opened;
  await one?.store.claim(0, "me", 60_000);
  expect(await one?.store.partitions()).toMatchObject([{ owner: "me" }, {}]);
  expect(await other?.store.partitions()).toMatchObject([{ owner: undefined }, {}]);
});
