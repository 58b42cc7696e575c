import type { Clock } from "../clock.ts";

/** Clocks drift and are slewed by less than this between two answers. */
const jumpMs = 1_000;

/** What is known of the store's clock from its last answer: it lies between `earliest` and `latest`. */
export class StoreClock {
  readonly #clock: Clock;
  readonly #jumped: (byMs: number) => void;
  #latestAhead = 0;
  #earliestAhead = 0;
  #isKnown = false;
  #lastJump: { readonly byMs: number; readonly at: number } | undefined;

  /** `jumped` is told by how much the store's clock has surely jumped, negative for backward. */
  constructor(clock: Clock, jumped: (byMs: number) => void = () => undefined) {
    this.#clock = clock;
    this.#jumped = jumped;
  }

  /** Takes the store's time out of an answer; `sentAt` is this process's monotonic time of the question. */
  learn(sentAt: number, storeNow: number): void {
    // The store read its clock at some moment between the question and now.
    const latestAhead = storeNow - sentAt;
    const earliestAhead = storeNow - this.#clock.monotonic();
    if (this.#isKnown) this.#compare(earliestAhead, latestAhead);
    this.#isKnown = true;
    this.#latestAhead = latestAhead;
    this.#earliestAhead = earliestAhead;
  }

  /** A time that the store's clock has not passed yet: what is due then is never early. Whole milliseconds. */
  latest(): number {
    return Math.ceil(this.#clock.monotonic() + this.#latestAhead);
  }

  /** A time that the store's clock has reached. */
  earliest(): number {
    return Math.floor(this.#clock.monotonic() + this.#earliestAhead);
  }

  /** How far the store's clock is surely ahead of this process's wall clock; negative when it is behind. */
  skewMs(): number {
    if (!this.#isKnown) return 0;
    const wall = this.#clock.wall();
    if (this.earliest() > wall) return this.earliest() - wall;
    return Math.min(0, this.latest() - wall);
  }

  /** The last jump of the store's clock, and how long ago it was noticed. */
  get lastJump(): { readonly byMs: number; readonly agoMs: number } | undefined {
    if (this.#lastJump === undefined) return undefined;
    return { byMs: this.#lastJump.byMs, agoMs: this.#clock.monotonic() - this.#lastJump.at };
  }

  /** What this process's monotonic clock does not explain is a jump. */
  #compare(earliestAhead: number, latestAhead: number): void {
    const forward = earliestAhead - this.#latestAhead;
    const backward = latestAhead - this.#earliestAhead;
    const byMs = Math.round(Math.max(forward, 0) || Math.min(backward, 0));
    if (Math.abs(byMs) < jumpMs) return;
    this.#lastJump = { byMs, at: this.#clock.monotonic() };
    this.#jumped(byMs);
  }
}
