import type { Channel, Options } from "amqplib";
import type { Binding, Queue, Topology } from "../../src/transport.ts";
import { onChannel, type Talk } from "./channels.ts";
import type { Names } from "./names.ts";
import { refusal } from "./refusals.ts";

/**
 * Never reached: the engine sets a poisonous message aside itself, and an operator may look at what nobody consumes as
 * often as he likes. Without a limit RabbitMQ 4 drops what came back more than 20 times; "no limit" is written in another
 * way in each of its versions, and another one is a mismatch.
 */
const noDeliveryLimit = 2_000_000_000;
const unroutedMessages = 100_000;

/** Makes the exchanges, and the queues that the transport needs for itself, exist. */
export async function declareOwn(talk: Talk, names: Names): Promise<void> {
  const durable = { durable: true };
  await onChannel(talk, async (channel) => {
    const exchange = (name: string, type: string, options: Options.AssertExchange = durable) =>
      named(name, channel.assertExchange(name, type, options));
    const alternateExchange = names.unrouted;
    await exchange(names.unrouted, "fanout");
    await exchange(names.exchange("events"), "topic", { durable: true, alternateExchange });
    await exchange(names.exchange("inbound"), "topic");
    await exchange(names.exchange("changes"), "topic");
    await exchange(names.due, "direct", { durable: true, alternateExchange });
    await quorumQueue(channel, names.unrouted, {
      "x-max-length": unroutedMessages,
      "x-overflow": "drop-head",
    });
    await channel.bindQueue(names.unrouted, names.unrouted, "");
    await quorumQueue(channel, names.delayed);
    await channel.bindQueue(names.delayed, names.due, names.delayed);
  });
}

/**
 * Makes queues and bindings exist.
 * @throws WaybillError `queue-mismatch`, `unknown-queue` for a binding to none, `access-refused`, `unavailable`
 */
export async function declareTopology(
  talk: Talk,
  names: Names,
  { queues, bindings }: Topology,
): Promise<void> {
  await onChannel(talk, async (channel) => {
    // Asked for together, answered one after the other.
    await settled([
      ...queues.map((queue) => declareQueue(channel, queue)),
      ...bindings.map((binding) => declareBinding(channel, names, binding)),
    ]);
  });
}

/** A queue that holds messages for `bucketMs` and then passes them on; nothing in it is lost before it is passed on. */
export async function declareDelay(
  talk: Talk,
  names: Names,
  bucket: { readonly bucketMs: number; readonly expiresMs: number },
): Promise<void> {
  const name = names.delay(bucket.bucketMs);
  await onChannel(talk, async (channel) => {
    await named(name, channel.assertExchange(name, "fanout", { durable: true }));
    await quorumQueue(channel, name, {
      "x-message-ttl": bucket.bucketMs,
      "x-expires": bucket.expiresMs,
      "x-dead-letter-exchange": names.due,
      // A classic queue here would lose every timer that expires during a restart of the broker.
      "x-dead-letter-strategy": "at-least-once",
      "x-overflow": "reject-publish",
    });
    await channel.bindQueue(name, name, "");
  });
}

/**
 * The messages that wait in a queue.
 * @throws WaybillError `unknown-queue`
 */
export async function queueDepth(talk: Talk, name: string): Promise<number> {
  let count = 0;
  await onChannel(talk, async (channel) => {
    count = (await named(name, channel.checkQueue(name))).messageCount;
  });
  return count;
}

async function declareQueue(channel: Channel, { name, kind }: Queue): Promise<void> {
  if (kind === "reply") {
    await named(name, channel.assertQueue(name, { durable: false, exclusive: true }));
    return;
  }
  await quorumQueue(channel, name, kind === "work" ? {} : { "x-single-active-consumer": true });
}

async function quorumQueue(
  channel: Channel,
  name: string,
  extra: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const all = { "x-queue-type": "quorum", "x-delivery-limit": noDeliveryLimit, ...extra };
  await named(name, channel.assertQueue(name, { durable: true, arguments: all }));
}

async function declareBinding(channel: Channel, names: Names, binding: Binding): Promise<void> {
  const { queue, exchange, pattern } = binding;
  await named(queue, channel.bindQueue(queue, names.exchange(exchange), pattern));
}

/** All of them have an answer when this ends; it throws the first refusal, which the others only follow from. */
async function settled(steps: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(steps);
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}

async function named<Result>(name: string, answer: Promise<Result>): Promise<Result> {
  try {
    return await answer;
  } catch (error) {
    throw refusal(error, name);
  }
}
