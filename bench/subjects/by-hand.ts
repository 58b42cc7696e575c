import { type ConfirmChannel, type ConsumeMessage, connect } from "amqplib";
import { Redis } from "ioredis";
import { createActor } from "xstate";
import { namesFor } from "../../src/routing.ts";
import { parcelMachine } from "../parcel.ts";
import { ready, settings } from "./settings.ts";

// The path as one writes it: load, create an actor, send, save, publish and wait, acknowledge. One message of a queue
// at a time keeps their order, also when one fails. It knows no repeated messages, no timers, and has no history.
const { broker, store, prefix, partitions } = settings();
const connection = await connect(broker, { noDelay: true });
const redis = new Redis(store);

async function handle(channel: ConfirmChannel, message: ConsumeMessage): Promise<void> {
  const event = JSON.parse(message.content.toString()) as { id: string };
  const { type } = message.properties as { type: string };
  const key = `${prefix}:parcel:${event.id}`;
  const saved = await redis.get(key);
  const actor = createActor(
    parcelMachine,
    saved === null ? { input: { id: event.id } } : ({ snapshot: JSON.parse(saved) } as never),
  );
  const emitted: { type: string }[] = [];
  actor.on("*", (one) => emitted.push(one));
  actor.start();
  if (saved !== null) actor.send({ ...event, type } as never);
  await redis.set(key, JSON.stringify(actor.getPersistedSnapshot()));
  actor.stop();
  for (const { type: routingKey, ...payload } of emitted) {
    const content = Buffer.from(JSON.stringify(payload));
    const messageId = `${String(message.properties.messageId)}>`;
    channel.publish(`${prefix}.events`, routingKey, content, { persistent: true, messageId });
  }
  await channel.waitForConfirms();
  channel.ack(message);
}

for (let partition = 0; partition < partitions; partition += 1) {
  const channel = await connection.createConfirmChannel();
  await channel.prefetch(1);
  await channel.consume(namesFor(prefix).partition(partition), (message) => {
    if (message !== null) void handle(channel, message).catch(() => channel.nack(message));
  });
}
ready(async () => {
  await connection.close();
  redis.disconnect();
});
