import type { Clock } from "../clock.ts";

/**
 * Partitions that have much to do share a turn of the event loop for this long. Without a limit 32 full batches took two
 * seconds of a busy machine in one turn, in which nothing that store and broker had answered was read.
 */
const sliceMs = 10;

/** Runs tasks soon, in the order in which they came: so many in each turn of the event loop as fit into a slice of time. */
export class TimeSlices {
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  soon(task: () => void): void {
    this.#waiting.push(task);
    if (this.#waiting.length === 1) this.#clock.soon(() => this.#run());
  }

  #run(): void {
    const endsAt = this.#clock.monotonic() + sliceMs;
    const tasks = this.#waiting;
    let count = 0;
    while (count < tasks.length) {
      tasks[count]?.();
      count += 1;
      if (this.#clock.monotonic() >= endsAt) break;
    }
    this.#waiting = tasks.slice(count);
    if (this.#waiting.length > 0) this.#clock.soon(() => this.#run());
  }
}
