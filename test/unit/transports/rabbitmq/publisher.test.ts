import type { ChannelModel } from "amqplib";
import { beforeEach, describe, expect, test } from "vitest";
import type { Confirmation } from "../../../../src/transport.ts";
import { defaultLimits, type RabbitMqLimits } from "../../../../transports/rabbitmq/options.ts";
import type { Posting } from "../../../../transports/rabbitmq/posting.ts";
import { Publisher } from "../../../../transports/rabbitmq/publisher.ts";
import { HandClock } from "../../../support/hand-clock.ts";
import {
  connectedTo,
  contentFrames,
  MemoryAmqp,
  methodFrame,
} from "../../../support/memory-amqp.ts";

function postings(...names: readonly string[]): Posting[] {
  return names.map((name) => ({
    exchange: "",
    routingKey: "queue",
    mandatory: true,
    message: { id: name, body: `"${name}"`, correlationId: "same", timestamp: 1_700_000_000_123 },
  }));
}

const ways = [
  { way: "writing frames itself", isKnown: true },
  { way: "by the client's functions, where the client looks different", isKnown: false },
];

describe.each(ways)("a publisher, $way", ({ isKnown }) => {
  let broker: MemoryAmqp;
  let connection: ChannelModel;
  let clock: HandClock;
  let reasons: string[];

  beforeEach(async () => {
    broker = new MemoryAmqp();
    connection = await connectedTo(broker);
    // The client goes on with it as with the number.
    if (!isKnown) Reflect.set(connection.connection, "frameMax", "131072");
    clock = new HandClock();
    reasons = [];
  });

  async function publisherWith(limits: Partial<RabbitMqLimits> = {}): Promise<Publisher> {
    const publisher = new Publisher({
      user: "engine",
      clock,
      limits: { ...defaultLimits, ...limits },
      broken: (reason) => reasons.push(reason),
    });
    await publisher.attach(connection);
    return publisher;
  }

  async function arrived(count: number): Promise<void> {
    await expect.poll(() => broker.count("BasicPublish"), { interval: 1 }).toBe(count);
  }

  function ack(deliveryTag: number, multiple = false): void {
    broker.say("BasicAck", 1, { deliveryTag, multiple });
  }

  test("answers in the order given, whatever the order of the confirms", async () => {
    const publisher = await publisherWith();
    const first = publisher.publish(postings("a", "b", "c"));
    const second = publisher.publish(postings("d", "e"));
    await arrived(5);
    ack(4);
    ack(2);
    broker.say("BasicNack", 1, { deliveryTag: 3, multiple: false, requeue: false });
    ack(5, true);
    expect(await first).toEqual(["confirmed", "confirmed", "failed"]);
    expect(await second).toEqual(["confirmed", "confirmed"]);
    const frames = broker.published().toString("latin1");
    const bodies = [...frames.matchAll(/"(\w)"/g)].map(([, name]) => name);
    expect(bodies.join("")).toBe("abcde");
  });

  test("sends what a turn publishes in one piece, if it may", async () => {
    const publisher = await publisherWith();
    const before = broker.pieces;
    Reflect.set(connection.connection, "sentSinceLastCheck", false);
    const outcome = Promise.all(["a", "b", "c"].map((name) => publisher.publish(postings(name))));
    await arrived(3);
    expect(broker.pieces - before).toBe(isKnown ? 1 : 3);
    expect(Reflect.get(connection.connection, "sentSinceLastCheck")).toBe(true);
    ack(3, true);
    expect(await outcome).toEqual([["confirmed"], ["confirmed"], ["confirmed"]]);
  });

  test("takes a return for the first message that looks the same and is not confirmed", async () => {
    const publisher = await publisherWith();
    const outcome = publisher.publish(postings("a", "b", "b", "b"));
    await arrived(4);
    ack(1);
    ack(2);
    const fields = { replyCode: 312, replyText: "NO_ROUTE", exchange: "", routingKey: "queue" };
    const properties = { messageId: "b", correlationId: "same" };
    const content = contentFrames(1, Buffer.from('"b"'), { properties });
    broker.push(Buffer.concat([methodFrame("BasicReturn", 1, fields), content]));
    ack(4, true);
    expect(await outcome).toEqual(["confirmed", "confirmed", "returned", "confirmed"]);
  });

  test("has so many messages and bytes under way, and no more until some are confirmed", async () => {
    const publisher = await publisherWith({ windowMessages: 3, windowBytes: 8 });
    const outcome = publisher.publish(postings("a", "b", "c", "d", "12345678", "e"));
    await arrived(3);
    ack(1);
    await arrived(4);
    ack(4, true);
    await arrived(5);
    let isIdle = false;
    void publisher.idle().then(() => {
      isIdle = true;
    });
    ack(5);
    await arrived(6);
    expect(isIdle).toBe(false);
    ack(6);
    expect(await outcome).toEqual(Array.from({ length: 6 }, () => "confirmed"));
    await expect.poll(() => isIdle).toBe(true);
  });

  test("goes over to a new channel once everything is answered, if something was refused", async () => {
    const publisher = await publisherWith();
    const refused = publisher.publish(postings("a", "b"));
    await arrived(2);
    broker.say("BasicNack", 1, { deliveryTag: 1, multiple: false, requeue: false });
    const later = publisher.publish(postings("c"));
    ack(2);
    expect(await refused).toEqual(["failed", "confirmed"]);
    await arrived(3);
    const channels = broker.frames.filter(({ method }) => method === "BasicPublish");
    expect(channels.map(({ channel }) => channel)).toEqual([1, 1, 2]);
    broker.say("BasicAck", 2, { deliveryTag: 1, multiple: false });
    expect(await later).toEqual(["confirmed"]);
    expect(broker.count("ChannelClose")).toBe(1);
  });

  test("fails what was not confirmed when its channel ends, and says so", async () => {
    const publisher = await publisherWith({ windowMessages: 2 });
    const outcome = publisher.publish(postings("a", "b", "c"));
    await arrived(2);
    ack(1);
    await arrived(3);
    const gone = { replyCode: 404, replyText: "no exchange", classId: 60, methodId: 40 };
    broker.say("ChannelClose", 1, gone);
    expect(await outcome).toEqual(["confirmed", "failed", "failed"]);
    expect(reasons).toEqual(["no exchange"]);
    expect(await publisher.publish(postings("d"))).toEqual(["failed"]);
    await publisher.idle();
  });

  test("fails what has no room, and what is not confirmed in time; the others are confirmed", async () => {
    const publisher = await publisherWith({ confirmDeadlineMs: 1_000 });
    const [tooEarly] = postings("too early");
    if (tooEarly === undefined) throw new Error("there is one");
    const impossible = { ...tooEarly, message: { ...tooEarly.message, timestamp: -5_000 } };
    const unnamed = { ...tooEarly, routingKey: "x".repeat(256) };
    const outcome = publisher.publish([...postings("a"), impossible, unnamed, ...postings("b")]);
    await arrived(2);
    ack(2, true);
    const expected: Confirmation[] = ["confirmed", "failed", "returned", "confirmed"];
    expect(await outcome).toEqual(expected);
    const late = publisher.publish(postings("c"));
    await arrived(3);
    await clock.pass(1_000);
    expect(await late).toEqual(["failed"]);
    expect(await publisher.publish([])).toEqual([]);
  });

  test("sends nothing on a channel that the client is closing", async () => {
    const publisher = await publisherWith();
    broker.isSilent = true;
    void connection.close();
    expect(await publisher.publish(postings("a"))).toEqual(["failed"]);
    await expect.poll(() => broker.count("ConnectionClose"), { interval: 1 }).toBe(1);
    expect(broker.count("BasicPublish")).toBe(0);
  });
});
