import type { ChannelModel } from "amqplib";
import { beforeEach, describe, expect, test } from "vitest";
import type { Delivery } from "../../../../src/transport.ts";
import { type RabbitMqConsumer, startConsumer } from "../../../../transports/rabbitmq/consumer.ts";
import { HandClock } from "../../../support/hand-clock.ts";
import {
  connectedTo,
  contentFrames,
  MemoryAmqp,
  methodFrame,
} from "../../../support/memory-amqp.ts";

/** A delivery as a broker sends it, and how often it had come back. */
interface Sent {
  readonly bytes: Buffer;
  readonly body: string;
  readonly redeliveries: number;
}

/** One of five kinds: ordinary, empty, come back before, through a delay queue, in pieces. */
function sent(deliveryTag: number): Sent {
  const kind = deliveryTag % 5;
  const body = kind === 1 ? "" : JSON.stringify({ deliveryTag });
  const headers = {
    "x-waybill-instance": "order/ö",
    ...(kind === 2 && { "x-delivery-count": { "!": "long", value: 7 } }),
    ...(kind === 3 && { "x-death": [{ queue: "waybill.delay.16" }] }),
  };
  const properties = { messageId: `m-${deliveryTag}`, type: "order.paid", headers };
  const fields = { consumerTag: "one", redelivered: kind === 2, exchange: "", routingKey: "q" };
  const pieces = kind === 4 ? { pieceBytes: 5 } : {};
  const bytes = Buffer.concat([
    methodFrame("BasicDeliver", 1, { ...fields, deliveryTag }),
    contentFrames(1, Buffer.from(body), { properties, ...pieces }),
  ]);
  return { bytes, body, redeliveries: kind === 2 ? 7 : 0 };
}

function expected({ body, redeliveries }: Sent, index: number): Delivery {
  const headers = { "x-waybill-instance": "order/ö" };
  const message = { body, id: `m-${index + 1}`, type: "order.paid", headers };
  return { message, tag: index + 1, redeliveries };
}

const ways = [
  { way: "reading frames itself", isKnown: true },
  { way: "by the client's functions, where the client looks different", isKnown: false },
];

describe.each(ways)("a consumer, $way", ({ isKnown }) => {
  let broker: MemoryAmqp;
  let connection: ChannelModel;
  let consumer: RabbitMqConsumer;
  let got: Delivery[];
  let losses: string[];
  let byClient: number;

  beforeEach(async () => {
    broker = new MemoryAmqp();
    connection = await connectedTo(broker);
    // The client goes on with it as with the flag.
    if (!isKnown) disguise(connection.connection, "recvSinceLastCheck");
    got = [];
    losses = [];
    byClient = 0;
    const clock = new HandClock();
    const create = connection.createChannel.bind(connection);
    connection.createChannel = async () => {
      const channel = await create();
      channel.on("delivery", () => {
        byClient += 1;
      });
      return channel;
    };
    consumer = await startConsumer(
      {
        queue: "q",
        prefetch: 100,
        deliver: (delivery) => got.push(delivery),
        lost: (reason) => losses.push(reason),
      },
      { connection, clock, answerDeadlineMs: 1_000, ended: () => undefined },
    );
    await clock.turn();
  });

  test.each([1, 7, 100, 5_000])(
    "takes every kind of delivery, %i bytes at a time",
    async (step) => {
      const all = Array.from({ length: 20 }, (_, index) => sent(index + 1));
      const bytes = Buffer.concat(all.map((one) => one.bytes));
      for (let at = 0; at < bytes.length; at += step) {
        broker.push(bytes.subarray(at, at + step));
        if (step > 7) await new Promise((resolve) => setImmediate(resolve));
      }
      await expect.poll(() => got.length, { interval: 1 }).toBe(20);
      expect(got).toEqual(all.map(expected));
      expect(losses).toEqual([]);
    },
  );

  test("leaves to the client what is unusual, and no more if it may", async () => {
    const all = Array.from({ length: 20 }, (_, index) => sent(index + 1));
    broker.push(Buffer.concat(all.map((one) => one.bytes)));
    await expect.poll(() => got.length, { interval: 1 }).toBe(20);
    const unusual = all.filter((_, index) => [3, 4].includes((index + 1) % 5));
    expect(byClient).toBe(isKnown ? unusual.length : all.length);
  });

  test("acknowledges all up to the last in one go, and those beyond one that is out each by itself", async () => {
    broker.push(Buffer.concat(Array.from({ length: 9 }, (_, index) => sent(index + 1).bytes)));
    await expect.poll(() => got.length, { interval: 1 }).toBe(9);
    const tags = (...wanted: readonly number[]) => got.filter(({ tag }) => wanted.includes(tag));
    consumer.ack(tags(1, 2, 3));
    consumer.ack(tags(2, 3));
    consumer.ack(tags(4, 6, 8));
    consumer.ack(tags(5, 7));
    consumer.ack(tags(9));
    await expect.poll(() => broker.count("BasicAck"), { interval: 1 }).toBe(6);
    const acks = broker.frames.filter(({ method }) => method === "BasicAck");
    expect(acks.map(({ bytes }) => [Number(bytes.readBigUInt64BE(11)), bytes[19]])).toEqual([
      [3, 1],
      [4, 1],
      [6, 0],
      [8, 0],
      [7, 1],
      [9, 1],
    ]);
  });

  test("delivers nothing any more once it is closing", async () => {
    broker.isSilent = true;
    const closing = consumer.close();
    broker.push(sent(1).bytes);
    await expect.poll(() => broker.count("ChannelClose"), { interval: 1 }).toBe(1);
    broker.say("ChannelCloseOk", 1, {});
    await closing;
    expect(got).toEqual([]);
  });

  test("tells the client that something came, or it would take the connection for dead", async () => {
    Reflect.set(connection.connection, "recvSinceLastCheck", false);
    broker.push(sent(5).bytes);
    await expect.poll(() => got.length, { interval: 1 }).toBe(1);
    expect(Reflect.get(connection.connection, "recvSinceLastCheck")).toBeTruthy();
  });

  test("says that it is lost when its queue is gone", async () => {
    broker.push(sent(1).bytes);
    await expect.poll(() => got.length, { interval: 1 }).toBe(1);
    broker.say("BasicCancel", 1, { consumerTag: "one", nowait: false });
    await expect.poll(() => losses.length, { interval: 1 }).toBe(1);
    expect(losses[0]).toContain('queue "q"');
  });
});

/** Shows a flag of the client as a number. */
function disguise(holder: object, name: string): void {
  let value: unknown = Reflect.get(holder, name);
  Object.defineProperty(holder, name, {
    get: () => (value === true ? 1 : 0),
    set: (next: unknown) => {
      value = next;
    },
  });
}
