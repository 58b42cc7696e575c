/** A promise to call back later; calling it withdraws the promise. */
export type Cancel = () => void;

/**
 * Time as the engine sees it: the only source of "now", "later" and "after this turn" in the core,
 * so that a simulator can own all three.
 */
export interface Clock {
  /** Milliseconds that never run backwards; differences mean durations, the value itself means nothing. */
  monotonic(): number;
  /** Milliseconds since the Unix epoch by this process's wall clock. For display, and as the clock of a local store. */
  wall(): number;
  /** Calls `task` once after at least `delayMs` milliseconds (0 to 2^31-1). */
  after(delayMs: number, task: () => void): Cancel;
  /** Calls `task` once what has already arrived in this turn of the event loop was handed over. */
  soon(task: () => void): void;
}

const longestTimerMs = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  after(delayMs, task) {
    // Above 2^31-1 ms Node.js would fire after 1 ms.
    const timer = setTimeout(task, Math.min(Math.max(0, delayMs), longestTimerMs));
    return () => clearTimeout(timer);
  },
  soon(task) {
    setImmediate(task);
  },
};

/** Resolves after at least `delayMs` milliseconds of `clock`. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
