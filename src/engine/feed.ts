import type { Consumer, Delivery, Transport } from "../transport.ts";
import { suspectRedeliveries } from "./intake.ts";

export interface FeedOptions {
  readonly transport: Transport;
  readonly queue: string;
  readonly prefetch: number;
  readonly deliver: (delivery: Delivery) => void;
  readonly lost: (reason: string) => void;
}

/**
 * Consumes a partition's queue. It begins with a prefetch of one, and goes over to the full prefetch once the
 * head of the queue is no suspect: a message that kills its process must not raise the delivery count of those
 * behind it, or they would all be set aside together.
 */
export class Feed {
  readonly #options: FeedOptions;
  #consumer: Consumer | undefined;
  #careful = true;
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    await this.#consume(1);
  }

  ack(deliveries: readonly Delivery[]): void {
    const last = deliveries.at(-1);
    const widens = this.#careful && last !== undefined && last.redeliveries < suspectRedeliveries;
    if (!widens) return this.#consumer?.ack(deliveries);
    this.#careful = false;
    void this.#widen(deliveries);
  }

  /** Ends the consumer; what was not acknowledged goes back to the head of the queue. */
  async close(): Promise<void> {
    this.#closed = true;
    const consumer = this.#consumer;
    this.#consumer = undefined;
    await consumer?.close();
  }

  async #widen(handled: readonly Delivery[]): Promise<void> {
    const { lost, prefetch } = this.#options;
    const narrow = this.#consumer;
    this.#consumer = undefined;
    try {
      await narrow?.close(handled);
      await this.#consume(prefetch);
    } catch (error) {
      lost(error instanceof Error ? error.message : String(error));
    }
  }

  async #consume(prefetch: number): Promise<void> {
    if (this.#closed) return;
    const { transport, queue, lost, deliver } = this.#options;
    const own: { consumer?: Consumer } = {};
    const early: Delivery[] = [];
    const receive = (delivery: Delivery) => {
      // Deliveries may come before `consume` has answered; those of an earlier consumer are no longer ours.
      if (own.consumer === undefined) early.push(delivery);
      else if (own.consumer === this.#consumer) deliver(delivery);
    };
    const tellLost = (reason: string) => {
      if (!this.#closed) lost(reason);
    };
    const consumer = await transport.consume({ queue, prefetch, deliver: receive, lost: tellLost });
    own.consumer = consumer;
    if (this.#closed) return consumer.close();
    this.#consumer = consumer;
    for (const delivery of early) receive(delivery);
  }
}
