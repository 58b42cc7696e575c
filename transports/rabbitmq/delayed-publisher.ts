import type { Clock } from "../../src/clock.ts";
import type { Confirmation } from "../../src/transport.ts";
import type { DelayQueues } from "./delay-queues.ts";
import type { Posting } from "./posting.ts";

export interface DelayedPublisherOptions {
  /** Unlike that of any other transport. */
  readonly id: string;
  readonly clock: Clock;
  readonly queues: DelayQueues;
  readonly deadlineMs: number;
  readonly publish: (postings: readonly Posting[]) => Promise<readonly Confirmation[]>;
}

/** Puts messages into the first of their delay queues. */
export class DelayedPublisher {
  readonly #options: DelayedPublisherOptions;

  constructor(options: DelayedPublisherOptions) {
    this.#options = options;
  }

  /** `confirmed` once a delay queue has it; `failed` within the deadline, never rejects. */
  publish(posting: Posting, delayMs: number): Promise<Confirmation> {
    const { clock, deadlineMs } = this.#options;
    return new Promise((resolve) => {
      const cancel = clock.after(deadlineMs, () => resolve("failed"));
      void this.#publish(posting, delayMs).then((confirmation) => {
        cancel();
        resolve(confirmation);
      });
    });
  }

  async #publish(posting: Posting, delayMs: number): Promise<Confirmation> {
    const { id, clock, queues, publish } = this.#options;
    const { exchange, routingKey, message } = posting;
    const due = clock.monotonic() + delayMs;
    const plan = { exchange, routingKey, restMs: delayMs, sender: id, due };
    try {
      const first = await queues.next(message, plan, due);
      const [confirmation = "failed"] = await publish([first]);
      if (confirmation !== "returned") return confirmation;
      // Its delay queue has gone meanwhile; the next attempt makes it anew.
      queues.forget();
      return "failed";
    } catch {
      return "failed";
    }
  }
}
