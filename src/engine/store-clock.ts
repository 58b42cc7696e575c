import type { Clock } from "../clock.ts";

/** What is known of the store's clock from its last answer: it lies between `earliest` and `latest`. */
export class StoreClock {
  readonly #clock: Clock;
  #latestAhead = 0;
  #earliestAhead = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes the store's time out of an answer; `sentAt` is this process's monotonic time of the question. */
  learn(sentAt: number, storeNow: number): void {
    // The store read its clock at some moment between the question and now.
    this.#latestAhead = storeNow - sentAt;
    this.#earliestAhead = storeNow - this.#clock.monotonic();
  }

  /** A time that the store's clock has not passed yet: what is due then is never early. Whole milliseconds. */
  latest(): number {
    return Math.ceil(this.#clock.monotonic() + this.#latestAhead);
  }

  /** A time that the store's clock has reached. */
  earliest(): number {
    return Math.floor(this.#clock.monotonic() + this.#earliestAhead);
  }
}
