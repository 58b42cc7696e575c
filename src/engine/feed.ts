import type { Consumer, Delivery, Transport } from "../transport.ts";

export interface FeedOptions {
  readonly transport: Transport;
  readonly queue: string;
  readonly prefetch: number;
  readonly deliver: (delivery: Delivery) => void;
  readonly lost: (reason: string) => void;
}

/** Consumes a partition's queue. */
export class Feed {
  readonly #options: FeedOptions;
  #consumer: Consumer | undefined;
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { transport, queue, prefetch, lost } = this.#options;
    const early: Delivery[] = [];
    const consumer = await transport.consume({
      queue,
      prefetch,
      // Deliveries may come before `consume` has answered.
      deliver: (delivery) => {
        if (this.#consumer === undefined) early.push(delivery);
        else this.#options.deliver(delivery);
      },
      lost: (reason) => {
        if (!this.#closed) lost(reason);
      },
    });
    if (this.#closed) return consumer.close();
    this.#consumer = consumer;
    for (const delivery of early) this.#options.deliver(delivery);
  }

  ack(deliveries: readonly Delivery[]): void {
    this.#consumer?.ack(deliveries);
  }

  /** Ends the consumer; what was not acknowledged goes back to the head of the queue. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#consumer?.close();
  }
}
