import type { Cancel, Clock } from "../clock.ts";

/** All partitions of a process settle at multiples of this, so that one flush of the store's log carries them all. */
const tickMs = 1_000;

/** When outbox entries that were delivered leave the store: with the next batch, or without one a little later. */
export class Settlement {
  readonly #clock: Clock;
  readonly #due: () => void;
  #cancel: Cancel | undefined;
  #isDue = false;

  constructor(clock: Clock, due: () => void) {
    this.#clock = clock;
    this.#due = due;
  }

  /** Whether it is time, batch or not. */
  get isDue(): boolean {
    return this.#isDue;
  }

  expect(): void {
    const untilTick = tickMs - (this.#clock.monotonic() % tickMs);
    this.#cancel ??= this.#clock.after(untilTick, () => {
      this.#cancel = undefined;
      this.#isDue = true;
      this.#due();
    });
  }

  done(): void {
    this.#isDue = false;
  }

  close(): void {
    this.#cancel?.();
  }
}
