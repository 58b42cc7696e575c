import type { ConfirmChannel } from "amqplib";
import { type Insides, insidesOf } from "./client-insides.ts";
import { propertiesOf } from "./envelope.ts";
import { listenToFrames } from "./frame-reader.ts";
import type { Posting } from "./posting.ts";
import { PublishFrames } from "./publish-frames.ts";

/** Puts messages on one confirm channel; its first message has the number 1, as the broker counts. */
export interface Wire {
  /** Answers the length of the body in bytes; throws, and has sent nothing, when it cannot be sent. */
  send(posting: Posting, number: number): number;
  /** What was sent goes out now, unless it has gone before. */
  flush(): void;
}

/** Told what the broker answers. */
export interface WireListener {
  answered(number: number, confirmation: "confirmed" | "failed"): void;
  answeredUpTo(number: number, confirmation: "confirmed" | "failed"): void;
}

export interface WireOptions {
  readonly user: string;
  readonly listener: WireListener;
}

/**
 * A wire on a channel that nothing was sent on yet. It writes frames itself, all of a flush in one buffer: a message and
 * its confirm cost 3.7 µs and 0.4 KB of heap, by the client's own functions 18.7 µs and 5.6 KB. Where the client looks
 * different those are used.
 */
export function wireOn(channel: ConfirmChannel, options: WireOptions): Wire {
  const insides = insidesOf(channel);
  const confirmsAreHeard = ["ack", "nack"].every((event) => channel.listenerCount(event) === 1);
  if (insides === undefined || !confirmsAreHeard) return new ClientWire(channel, options);
  listen(channel, options.listener);
  return new LeanWire(insides, options.user);
}

/** In the place of the client, which would look for a callback for each message. */
function listen(channel: ConfirmChannel, listener: WireListener): void {
  for (const [event, confirmation] of [
    ["ack", "confirmed"],
    ["nack", "failed"],
  ] as const) {
    channel.removeAllListeners(event);
    channel.on(event, ({ deliveryTag, multiple }: Readonly<Answer>) => {
      if (multiple) listener.answeredUpTo(deliveryTag, confirmation);
      else listener.answered(deliveryTag, confirmation);
    });
  }
  listenToFrames(channel, {
    acked: (number) => listener.answered(number, "confirmed"),
    ackedUpTo: (number) => listener.answeredUpTo(number, "confirmed"),
  });
}

interface Answer {
  readonly deliveryTag: number;
  readonly multiple: boolean;
}

class LeanWire implements Wire {
  readonly #insides: Insides;
  readonly #frames: PublishFrames;

  constructor(insides: Insides, user: string) {
    const { channelNumber, frameMax } = insides;
    this.#insides = insides;
    this.#frames = new PublishFrames({ channel: channelNumber, frameMax, user });
  }

  send(posting: Posting): number {
    if (!this.#insides.isOpen()) throw new Error("the channel is on its way down");
    return this.#frames.add(posting);
  }

  flush(): void {
    for (const frames of this.#frames.take()) this.#insides.write(frames);
  }
}

class ClientWire implements Wire {
  readonly #channel: ConfirmChannel;
  readonly #options: WireOptions;

  constructor(channel: ConfirmChannel, options: WireOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  send({ exchange, routingKey, mandatory, message }: Posting, number: number): number {
    const { user, listener } = this.#options;
    const content = Buffer.from(message.body);
    const properties = propertiesOf(message, user);
    properties.mandatory = mandatory;
    this.#channel.publish(exchange, routingKey, content, properties, (error: unknown) =>
      listener.answered(number, error === null ? "confirmed" : "failed"),
    );
    return content.length;
  }

  flush(): void {
    // The client has put it on its way.
  }
}
