import type { Channel, ChannelModel } from "amqplib";
import type { Clock } from "../../src/clock.ts";
import { refusal, unavailable } from "./refusals.ts";

/** A connection, and how long to wait for its answers. */
export interface Talk {
  readonly connection: ChannelModel;
  readonly clock: Clock;
  readonly answerDeadlineMs: number;
}

/**
 * Works on a channel of its own: a refusal closes its channel, and would end what others do there.
 * @throws WaybillError what `work` throws, `unavailable` when there is no answer in time
 */
export function onChannel(talk: Talk, work: (channel: Channel) => Promise<void>): Promise<void> {
  return inTime(talk, "a channel", async () => {
    const channel = await openChannel(talk.connection);
    await work(channel);
    await closeChannel(channel);
  });
}

/**
 * The result of `work`, unless it takes too long. A quorum queue without a leader never answers.
 * @throws WaybillError `unavailable`
 */
export function inTime<Result>(
  { clock, answerDeadlineMs }: Talk,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(answerDeadlineMs, () => {
      const late = `RabbitMQ did not answer about ${name} within ${answerDeadlineMs} ms`;
      reject(unavailable(late));
    });
    work().then(resolve, reject).finally(cancel);
  });
}

async function openChannel(connection: ChannelModel): Promise<Channel> {
  try {
    const channel = await connection.createChannel();
    channel.on("error", () => undefined);
    return channel;
  } catch (error) {
    throw refusal(error, "a channel");
  }
}

/** Resolves once the channel is closed, by whomever. */
export function closeChannel(channel: Channel): Promise<void> {
  return new Promise((resolve) => {
    // The client's own promise never settles when the connection ends meanwhile.
    channel.once("close", () => resolve());
    channel.close().then(resolve, () => resolve());
  });
}
