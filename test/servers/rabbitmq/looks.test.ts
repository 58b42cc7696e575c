import { type Channel, type ChannelModel, connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RabbitMqTransport } from "../../../transports/rabbitmq/transport.ts";
import { declareQueues, toQueue } from "../../contracts/transport-lab.ts";
import { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { freshPrefix, optionsFor, soonEnough } from "./lab.ts";

/** RabbitMQ 4.0 counts each, and drops what has come back more than 20 times unless told otherwise. */
const looks = 25;

describe("a message that an operator looks at, and puts back", () => {
  let server: RabbitMqServer;
  let connection: ChannelModel;
  let channel: Channel;
  let transport: RabbitMqTransport;
  const prefix = freshPrefix();

  beforeAll(async () => {
    server = await RabbitMqServer.start();
    connection = await connect(server.url());
    channel = await connection.createChannel();
    transport = new RabbitMqTransport(optionsFor(server.url(), prefix));
    await transport.open();
    const queue = `${prefix}.q`;
    await declareQueues(transport, { name: queue, kind: "work" });
    const unwanted = { exchange: "events", routingKey: "nobody", message: { body: "1" } } as const;
    const held = toQueue(queue, "2").map((one) => ({ ...one, delayMs: 3_600_000 }));
    await transport.publish([unwanted, ...held]);
  }, 120_000);
  afterAll(async () => {
    await transport.close();
    await connection.close();
    await server.stop();
  }, 120_000);

  /** Looks at the first message of a queue again and again, and says how often it was there. */
  async function lookAt(queue: string): Promise<number> {
    let seen = 0;
    for (let look = 0; look < looks; look += 1) {
      const message = await channel.get(queue);
      if (message === false) continue;
      seen += 1;
      channel.nack(message, false, true);
      // The broker answers this once the message is back.
      await channel.checkQueue(queue);
    }
    return seen;
  }

  test("stays where nobody wanted it, and where it is held back", async () => {
    await soonEnough(async () => expect(await transport.depth(`${prefix}.unrouted`)).toBe(1));
    const [delay = ""] = (await queuesWith(`${prefix}.delay.`)).map((line) => line.split("\t")[0]);
    expect(await lookAt(`${prefix}.unrouted`)).toBe(looks);
    expect(await lookAt(delay)).toBe(looks);
  });

  test("is safe on whatever version: every queue says that there is no limit", async () => {
    const queues = await queuesWith(prefix);
    expect(queues).toHaveLength(4);
    expect(queues.filter((queue) => !/"x-delivery-limit",\s*2000000000/.test(queue))).toEqual([]);
  });

  async function queuesWith(start: string): Promise<readonly string[]> {
    const lines = (await server.control("list_queues", "name", "arguments")).split("\n");
    return lines.filter((line) => line.startsWith(start));
  }
});
