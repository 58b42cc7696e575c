import type { Chance } from "./chance.ts";
import type { Scheduler } from "./scheduler.ts";

/** One direction of a connection: what is sent arrives later, in the order of sending. */
export class Line {
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  #lastArrival = 0;

  constructor(scheduler: Scheduler, chance: Chance) {
    this.#scheduler = scheduler;
    this.#chance = chance;
  }

  /** Lets `arrive` happen at the other end, after `extraMs` more than usual. */
  send(arrive: () => void, extraMs = 0): void {
    const { now } = this.#scheduler;
    const at = Math.max(this.#lastArrival, now + this.#chance.between(0.2, 3) + extraMs);
    this.#lastArrival = at;
    this.#scheduler.at(at - now, arrive);
  }
}
