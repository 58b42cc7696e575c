import type { Clock } from "../clock.ts";

/** Overdue timers wait no longer than this for what was in the queue before the claim. */
const longestMs = 2_000;

/**
 * Lets what waited in a partition's queue at its claim go before the timers that are overdue: a message that was
 * there before a deadline passed comes before that deadline, though both are late now.
 */
export class CatchUp {
  readonly #clock: Clock;
  readonly #done: () => void;
  #left = Infinity;

  /** `done` is called once: when all of it was handled, or after 2 s. */
  constructor(clock: Clock, done: () => void) {
    this.#clock = clock;
    this.#done = done;
  }

  /** Whether timers have to wait. */
  get goesOn(): boolean {
    return this.#left > 0;
  }

  /** Begins with so many messages in the queue. */
  begin(waiting: number): void {
    this.#left = waiting;
    if (waiting === 0) return this.#done();
    this.#clock.after(longestMs, () => this.handled(this.#left));
  }

  /** So many messages of the queue were handled. */
  handled(messages: number): void {
    if (!this.goesOn) return;
    this.#left -= messages;
    if (this.#left <= 0) this.#done();
  }
}
