import type { Cancel, Clock } from "../clock.ts";
import type { Fail } from "../failpoint.ts";
import type { Consumer, Delivery, Transport } from "../transport.ts";

/**
 * Acknowledgements of all partitions of a process go out together, at multiples of this: a quorum queue writes its log
 * for each, and all that is written then is synced once. Sent at once they also are ahead of what their batch sends, which
 * then waits for their sync: some 0.3 ms more at the median of 100 events a second.
 */
const tickMs = 50;
/** So many, or a quarter of the prefetch, do not wait: the broker hands out no more than were allowed. */
const mostHeld = 100;

export interface FeedOptions {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly queue: string;
  readonly prefetch: number;
  readonly deliver: (delivery: Delivery) => void;
  readonly lost: (reason: string) => void;
  readonly fail?: Fail | undefined;
}

/** Consumes a partition's queue. */
export class Feed {
  readonly #options: FeedOptions;
  #consumer: Consumer | undefined;
  #held: Delivery[] = [];
  #cancel: Cancel | undefined;
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

  /** They are done with; the broker hears of it a little later. */
  ack(deliveries: readonly Delivery[]): void {
    if (this.#closed || deliveries.length === 0) return;
    this.#held.push(...deliveries);
    const { clock, prefetch } = this.#options;
    if (this.#held.length >= Math.min(mostHeld, prefetch / 4)) return this.#acknowledge();
    const untilTick = tickMs - (clock.monotonic() % tickMs);
    this.#cancel ??= clock.after(untilTick, () => this.#acknowledge());
  }

  /** Ends the consumer, in good order; what was not handled goes back to the head of the queue. */
  async close(): Promise<void> {
    this.#acknowledge();
    await this.abandon();
  }

  /** Ends the consumer; whatever the broker has not heard of goes back to the head of the queue. */
  async abandon(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#consumer?.close();
  }

  #acknowledge(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const held = this.#held;
    this.#held = [];
    if (held.length === 0) return;
    this.#consumer?.ack(held);
    this.#options.fail?.("acknowledged");
  }
}
