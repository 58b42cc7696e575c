import type { Clock } from "../../src/clock.ts";
import type { Message } from "../../src/message.ts";
import { bucketFor, type DelayPlan, withPlan } from "./delay-plan.ts";
import type { Names } from "./names.ts";
import type { Posting } from "./posting.ts";

export interface DelayQueuesOptions {
  readonly names: Names;
  readonly clock: Clock;
  readonly declare: (bucket: { bucketMs: number; expiresMs: number }) => Promise<void>;
}

/** A delay queue that was not declared again for its own time and this long is gone. */
const expiresAfterMs = 600_000;
/** It is declared again before it could expire while it holds something. */
const declareAgainMs = 300_000;
/** The broker counts in whole milliseconds, and may round a queue's time down by one. */
const roundedMs = 1;

/** The delay queues that this process uses, made when they are needed. */
export class DelayQueues {
  readonly #options: DelayQueuesOptions;
  readonly #declared = new Map<number, { readonly at: number; readonly ready: Promise<void> }>();

  constructor(options: DelayQueuesOptions) {
    this.#options = options;
  }

  /**
   * The next step of a message that has to be held back until `due` of this process's monotonic clock.
   * Rejects when its delay queue cannot be made.
   */
  async next(message: Message, plan: DelayPlan, due: number): Promise<Posting> {
    const { names, clock } = this.#options;
    const bucketMs = bucketFor(due - clock.monotonic());
    if (bucketMs !== undefined) await this.#exists(bucketMs);
    // Making the queue takes its time, and what was too short for it by now takes none.
    const leftMs = due - clock.monotonic();
    const holdsMs = bucketMs !== undefined && bucketMs <= leftMs ? bucketMs : 0;
    const restMs = Math.ceil(leftMs - holdsMs) + roundedMs;
    return {
      exchange: holdsMs > 0 ? names.delay(holdsMs) : "",
      routingKey: names.delayed,
      mandatory: true,
      message: withPlan(message, { ...plan, restMs }),
    };
  }

  /** Makes every queue exist anew before it is used again: one was missing, or the broker is another one. */
  forget(): void {
    this.#declared.clear();
  }

  #exists(bucketMs: number): Promise<void> {
    const { clock, declare } = this.#options;
    const now = clock.monotonic();
    const known = this.#declared.get(bucketMs);
    if (known !== undefined && now - known.at < declareAgainMs) return known.ready;
    const ready = declare({ bucketMs, expiresMs: 2 * bucketMs + expiresAfterMs });
    const entry = { at: now, ready };
    this.#declared.set(bucketMs, entry);
    ready.catch(() => {
      if (this.#declared.get(bucketMs) === entry) this.#declared.delete(bucketMs);
    });
    return ready;
  }
}
