import { epochMs } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";

/** The store's machine: while its server is down nothing is done, and what is on its way to it or from it is lost. */
export class StoreServer {
  readonly #scheduler: Scheduler;
  #boots = 1;
  #isUp = true;
  #aheadMs = 0;
  #latest = 0;
  /** Names of processes that do not reach it. */
  readonly #cutOff = new Set<string>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** The store's clock, in whole milliseconds. */
  now(): number {
    const now = Math.floor(epochMs + this.#scheduler.now + this.#aheadMs);
    this.#latest = Math.max(this.#latest, now);
    return now;
  }

  /** The latest time that the clock has ever shown. */
  latest(): number {
    return Math.max(this.#latest, this.now());
  }

  /** Sets the clock forward or back. */
  jump(byMs: number): void {
    this.now();
    this.#aheadMs += byMs;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** The network between it and one process is broken for `lastsMs`; answers on their way arrive. */
  cutOff(process: string, lastsMs: number): void {
    this.#cutOff.add(process);
    this.#scheduler.at(lastsMs, () => this.#cutOff.delete(process));
  }

  /** Lets a command arrive after `delayMs`, or fails it when the process is cut off by then or the server has ended. */
  command(process: string, delayMs: number, execute: () => void, fail: () => void): void {
    const boot = this.#boots;
    this.#scheduler.at(delayMs, () => {
      const isReached = this.#isUp && this.#boots === boot && !this.#cutOff.has(process);
      (isReached ? execute : fail)();
    });
  }

  /** Lets an answer arrive after `delayMs`, or fails it when the server has ended before. */
  answer(delayMs: number, tell: () => void, fail: () => void): void {
    const boot = this.#boots;
    this.#scheduler.at(delayMs, () => (this.#boots === boot ? tell() : fail()));
  }

  /** Ends at once and is back after `downMs`. */
  restart(downMs: number, back: () => void): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#boots += 1;
    this.#scheduler.at(downMs, () => {
      this.#isUp = true;
      back();
    });
  }
}
