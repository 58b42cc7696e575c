import type { Cancel, Clock } from "../../src/clock.ts";

interface Task {
  readonly due: number;
  readonly run: () => void;
}

/** A clock that stands still until it is moved by hand. */
export class HandClock implements Clock {
  #now: number;
  #tasks: Task[] = [];
  #soon: (() => void)[] = [];

  constructor(now = 1_000) {
    this.#now = now;
  }

  monotonic(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): Cancel {
    const task = { due: this.#now + delayMs, run };
    this.#tasks.push(task);
    return () => {
      this.#tasks = this.#tasks.filter((one) => one !== task);
    };
  }

  soon(task: () => void): void {
    this.#soon.push(task);
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#tasks.length;
  }

  /** Ends this turn of the event loop. */
  async turn(): Promise<void> {
    for (const task of this.#soon.splice(0)) task();
    await settled();
  }

  /** Lets time pass; each timer runs at its own time, and what follows from it runs to its end. */
  async pass(durationMs: number): Promise<void> {
    const end = this.#now + durationMs;
    for (;;) {
      const next = this.#tasks.toSorted((one, other) => one.due - other.due)[0];
      if (next === undefined || next.due > end) break;
      this.#tasks = this.#tasks.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.due);
      next.run();
      await settled();
    }
    this.#now = end;
  }
}

/** Resolves once promises that wait for nothing else have settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
