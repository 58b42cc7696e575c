import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { Feed } from "../../../src/engine/feed.ts";
import { RabbitMqTransport } from "../../../transports/rabbitmq/transport.ts";
import { collect, declareQueues, toQueue } from "../../contracts/transport-lab.ts";
import { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { freshPrefix, optionsFor, soonEnough } from "./lab.ts";

let server: RabbitMqServer;
beforeAll(async () => {
  server = await RabbitMqServer.start();
}, 120_000);
afterAll(() => server.stop(), 120_000);

test("A partition is taken over in order, though the first message is taken alone and the rest was out before", async () => {
  const prefix = freshPrefix();
  const queue = `${prefix}.p`;
  const transport = new RabbitMqTransport(optionsFor(server.url(), prefix));
  await transport.open();
  await declareQueues(transport, { name: queue, kind: "partition" });
  const numbers = Array.from({ length: 40 }, (_, index) => String(index).padStart(2, "0"));
  await transport.publish(toQueue(queue, ...numbers));

  const before = await collect(transport, queue, { prefetch: 100 });
  await soonEnough(() => expect(before.deliveries).toHaveLength(numbers.length));
  await before.consumer.close();

  const bodies: string[] = [];
  const feed: Feed = new Feed({
    clock: systemClock,
    transport,
    queue,
    prefetch: 100,
    deliver(delivery) {
      bodies.push(delivery.message.body);
      feed.ack([delivery]);
    },
    lost: (reason) => bodies.push(reason),
  });
  await feed.open();
  await soonEnough(() => expect(bodies.length).toBeGreaterThanOrEqual(numbers.length));
  expect(bodies).toEqual(numbers);
  await feed.close();
  await transport.close();
}, 120_000);
