import type { Clock } from "../clock.ts";
import type { WatchArrival } from "./arrival.ts";

interface Watcher {
  readonly watch: WatchArrival;
  readonly until: number;
}

/** How long a requester is remembered; one that still waits then finds out from the store. */
const patienceMs = 30_000;

/** Requesters that wait for instances of one partition to get somewhere. Lost with the process: they re-read too. */
export class Watchers {
  readonly #clock: Clock;
  readonly #byKey = new Map<string, Watcher[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return [...this.#byKey.values()].reduce((sum, watchers) => sum + watchers.length, 0);
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  add(watch: WatchArrival): void {
    const others = this.#byKey.get(watch.key) ?? [];
    this.#byKey.set(watch.key, [...others, { watch, until: this.#clock.monotonic() + patienceMs }]);
  }

  /** Takes out those of `key` for which `reached` holds. */
  take(key: string, reached: (watch: WatchArrival) => boolean): readonly WatchArrival[] {
    const watchers = this.#byKey.get(key);
    if (watchers === undefined) return [];
    const taken = watchers.filter(({ watch }) => reached(watch));
    this.#keep(
      key,
      watchers.filter((one) => !taken.includes(one)),
    );
    return taken.map(({ watch }) => watch);
  }

  /** Forgets those whose patience is over. */
  sweep(): void {
    const now = this.#clock.monotonic();
    for (const [key, watchers] of this.#byKey) {
      this.#keep(
        key,
        watchers.filter(({ until }) => until > now),
      );
    }
  }

  #keep(key: string, watchers: Watcher[]): void {
    if (watchers.length === 0) this.#byKey.delete(key);
    else this.#byKey.set(key, watchers);
  }
}
