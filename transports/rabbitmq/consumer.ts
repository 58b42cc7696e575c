import type { Channel, ConsumeMessage } from "amqplib";
import type { ConsumeOptions, Consumer, Delivery } from "../../src/transport.ts";
import { closeChannel, inTime, type Talk } from "./channels.ts";
import { messageFrom, redeliveriesOf } from "./envelope.ts";
import { listenToFrames } from "./frame-reader.ts";
import { Numbered } from "./numbered.ts";
import { refusal, textOf } from "./refusals.ts";

export interface ConsumerSurroundings extends Talk {
  /** Why the connection has ended, if so. */
  readonly ended: () => string | undefined;
}

/**
 * Starts a consumer on a channel of its own: what it did to end would else end others with it.
 * @throws WaybillError `unknown-queue`, `unavailable`, `access-refused`, `queue-locked`
 */
export async function startConsumer(
  options: ConsumeOptions,
  surroundings: ConsumerSurroundings,
): Promise<RabbitMqConsumer> {
  let consumer: RabbitMqConsumer | undefined;
  try {
    return await inTime(surroundings, `queue "${options.queue}"`, async () => {
      const channel = await surroundings.connection.createChannel();
      consumer = new RabbitMqConsumer(channel, options, surroundings);
      await consumer.start();
      return consumer;
    });
  } catch (error) {
    // It may come to life after its deadline, and would keep messages to itself.
    void consumer?.close();
    throw refusal(error, options.queue);
  }
}

export class RabbitMqConsumer implements Consumer {
  readonly #channel: Channel;
  readonly #options: ConsumeOptions;
  readonly #surroundings: ConsumerSurroundings;
  /** The tags that are out. */
  readonly #out = new Numbered<true>();
  /** What came before whoever called `consume` has the consumer in hand. */
  #early: Delivery[] | undefined = [];
  #status: "starting" | "running" | "ended" = "starting";
  #failure: string | undefined;
  #closing: Promise<void> | undefined;
  #whenEnded: (() => void) | undefined;

  constructor(channel: Channel, options: ConsumeOptions, surroundings: ConsumerSurroundings) {
    this.#channel = channel;
    this.#options = options;
    this.#surroundings = surroundings;
    channel.on("error", (error) => {
      this.#failure ??= textOf(error);
    });
    channel.on("handler-error", () => undefined);
    // The reason is known once the connection has ended as well, in the same turn.
    channel.on("close", () => queueMicrotask(() => this.#lose("the channel was closed")));
  }

  async start(): Promise<void> {
    const { queue, prefetch } = this.#options;
    await this.#channel.prefetch(prefetch);
    listenToFrames(this.#channel, { delivered: (delivery) => this.#receive(delivery) });
    const receive = (message: ConsumeMessage | null) => this.#received(message);
    await this.#channel.consume(queue, receive);
    if (this.#status === "ended") throw new Error(this.#failure ?? "it was closed");
    this.#status = "running";
    this.#surroundings.clock.soon(() => this.#release());
  }

  whenEnded(tell: () => void): void {
    this.#whenEnded = tell;
    if (this.#status === "ended") tell();
  }

  ack(deliveries: readonly Delivery[]): void {
    if (this.#status === "ended") return;
    const tags: number[] = [];
    let highest = 0;
    for (const { tag } of deliveries) {
      if (this.#out.take(tag) === undefined) continue;
      tags.push(tag);
      highest = Math.max(highest, tag);
    }
    if (tags.length === 0) return;
    const firstOut = this.#out.first;
    if (highest < firstOut) return this.#acknowledge(highest, { allUpTo: true });
    const below = tags.filter((tag) => tag < firstOut);
    if (below.length > 0) this.#acknowledge(Math.max(...below), { allUpTo: true });
    for (const tag of tags) if (tag > firstOut) this.#acknowledge(tag, { allUpTo: false });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#status === "ended") return;
    this.#end();
    // Closing the channel, unlike cancelling, returns what is out to the head of the queue in the old order.
    await closeChannel(this.#channel);
  }

  #end(): void {
    this.#status = "ended";
    this.#out.clear();
    this.#early = undefined;
    this.#whenEnded?.();
  }

  #received(message: ConsumeMessage | null): void {
    if (message === null) {
      return this.#lose(`queue "${this.#options.queue}" is gone or the broker cancelled it`);
    }
    const tag = message.fields.deliveryTag;
    const redeliveries = redeliveriesOf(message);
    this.#receive({ message: messageFrom(message), tag, redeliveries });
  }

  #receive(delivery: Delivery): void {
    if (this.#status === "ended") return;
    if (this.#early) this.#early.push(delivery);
    else this.#deliver(delivery);
  }

  #release(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const delivery of early) this.#deliver(delivery);
  }

  #deliver(delivery: Delivery): void {
    if (this.#status === "ended" || this.#closing !== undefined) return;
    this.#out.add(delivery.tag, true);
    try {
      this.#options.deliver(delivery);
    } catch (error) {
      this.#lose(`its handler threw: ${textOf(error)}`);
    }
  }

  #acknowledge(deliveryTag: number, { allUpTo }: { readonly allUpTo: boolean }): void {
    try {
      // The client looks at nothing but the tag.
      this.#channel.ack({ fields: { deliveryTag } } as ConsumeMessage, allUpTo);
    } catch {
      // The channel is closed: what it held is with the broker again.
    }
  }

  #lose(reason: string): void {
    const told = this.#status === "running" && this.#closing === undefined;
    if (this.#status === "ended") return;
    this.#failure ??= this.#surroundings.ended() ?? reason;
    this.#end();
    this.#closing = closeChannel(this.#channel);
    if (told) this.#tell(this.#failure);
  }

  #tell(reason: string): void {
    try {
      this.#options.lost(reason);
    } catch {
      // Nothing of theirs may end the process.
    }
  }
}
