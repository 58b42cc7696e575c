import { type ConfirmChannel, type ConsumeMessage, connect } from "amqplib";
import { namesFor } from "../../src/routing.ts";
import { corkFrames } from "../../transports/rabbitmq/cork.ts";
import { move } from "../parcel.ts";
import { ready, settings } from "./settings.ts";

// The floor: takes messages, publishes each as it is, and acknowledges what is confirmed. No state, no machine.
const { broker, prefix, partitions } = settings();
const connection = await connect(broker, { noDelay: true });
corkFrames(connection);

interface Batch {
  readonly last: ConsumeMessage;
  unconfirmed: number;
}

/** Passes on what came in one turn, and acknowledges in order what the broker has confirmed. */
function bridge(channel: ConfirmChannel): (message: ConsumeMessage | null) => void {
  let arrived: ConsumeMessage[] = [];
  const underWay: Batch[] = [];
  function settle(batch: Batch): void {
    batch.unconfirmed -= 1;
    while (underWay[0]?.unconfirmed === 0) {
      const done = underWay.shift();
      if (done !== undefined) channel.ack(done.last, true);
    }
  }
  function flush(): void {
    const [taken, last] = [arrived, arrived.at(-1)];
    arrived = [];
    if (last === undefined) return;
    const batch: Batch = { last, unconfirmed: taken.length };
    underWay.push(batch);
    for (const { content, properties } of taken) {
      const { messageId } = properties as { messageId?: string };
      const envelope = { persistent: true, mandatory: true, ...(messageId && { messageId }) };
      channel.publish(`${prefix}.events`, move, content, envelope, () => settle(batch));
    }
  }
  return (message) => {
    if (message === null) return;
    arrived.push(message);
    if (arrived.length === 1) setImmediate(flush);
  };
}

for (let partition = 0; partition < partitions; partition += 1) {
  const channel = await connection.createConfirmChannel();
  await channel.prefetch(1_000);
  await channel.consume(namesFor(prefix).partition(partition), bridge(channel));
}
ready(() => connection.close());
