import type { Scheduler } from "./scheduler.ts";

/** What happened, one line each: virtual milliseconds, process, what. Kept only when wanted, for it is long. */
export class Trace {
  readonly lines: string[] = [];
  readonly #scheduler: Scheduler;
  readonly #wanted: boolean;

  constructor(scheduler: Scheduler, wanted: boolean) {
    this.#scheduler = scheduler;
    this.#wanted = wanted;
  }

  say(who: string, what: string): void {
    if (!this.#wanted) return;
    const time = this.#scheduler.now.toFixed(3).padStart(10);
    this.lines.push(`${time}  ${who.padEnd(10)} ${what}`);
  }
}
