import type { TimerRow } from "../commit.ts";
import type { Arrival, TimerArrival } from "./arrival.ts";
import type { Limits } from "./limits.ts";
import { parseTimerId } from "./timer-id.ts";

/** What has arrived in a partition and is not in a batch yet, in order. */
export class Intake {
  readonly #limits: Limits;
  readonly #isSuspect: (arrival: Arrival) => boolean;
  #arrivals: Arrival[] = [];

  constructor(limits: Limits, isSuspect: (arrival: Arrival) => boolean) {
    this.#limits = limits;
    this.#isSuspect = isSuspect;
  }

  get size(): number {
    return this.#arrivals.length;
  }

  add(arrival: Arrival): void {
    this.#arrivals.push(arrival);
  }

  /** The next batch: as much as has arrived and fits, a suspect by itself. */
  take(): readonly Arrival[] {
    const { batchMessages, batchBytes } = this.#limits;
    let bytes = 0;
    let count = 0;
    for (const arrival of this.#arrivals) {
      if (count >= batchMessages || (count > 0 && bytes >= batchBytes)) break;
      if (this.#isSuspect(arrival)) {
        if (count === 0) count = 1;
        break;
      }
      bytes += arrival.receipt.delivery?.message.body.length ?? 0;
      count += 1;
    }
    const batch = this.#arrivals.slice(0, count);
    this.#arrivals = this.#arrivals.slice(count);
    return batch;
  }

  clear(): void {
    this.#arrivals = [];
  }
}

/** Due rows as arrivals, in the order of the rows. */
export function timerArrivals(rows: readonly TimerRow[]): readonly TimerArrival[] {
  return rows.flatMap((row) => {
    const timer = parseTimerId(row.id);
    if (timer === undefined) return [];
    return [{ kind: "timer" as const, receipt: { timerRow: row }, trace: {}, ...timer }];
  });
}
