import { afterAll, beforeAll, describe, it } from "vitest";
import type { Failpoint } from "../../../src/failpoint.ts";
import { killAndJudge } from "../../integration/failpoints/kill-and-judge.ts";
import { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { RedisServer } from "../../support/redis-server.ts";

let broker: RabbitMqServer;
let redis: RedisServer;
let runs = 0;

beforeAll(async () => {
  [broker, redis] = await Promise.all([
    RabbitMqServer.start(),
    RedisServer.start({ log: "always" }),
  ]);
}, 120_000);
afterAll(() => Promise.all([broker.stop(), redis.stop()]));

/** Where broker and store are two, so that one may have what the other has not; one file has both or neither. */
const crossings: readonly (readonly [Failpoint, number])[] = [
  ["committing", 6],
  ["committed", 6],
  ["publishing", 3],
  ["confirmed", 3],
  ["task-leased", 2],
  ["ingress-forwarded", 2],
];

describe("a process on RabbitMQ and Redis that is killed", () => {
  it.concurrent.each(crossings)(
    "at the failpoint %s, crossing %i, loses nothing and doubles nothing",
    async (at, crossing) => {
      runs += 1;
      const place = { broker: broker.url("engine"), store: redis.url, prefix: `run${runs}` };
      await killAndJudge(place, at, crossing);
    },
  );
});
