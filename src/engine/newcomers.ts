import type { Arrival } from "./arrival.ts";
import type { InstanceCache } from "./instance-cache.ts";

/**
 * Takes instances that are about to start for new without asking the store, which nearly all are. The store refuses to
 * make what is there already; then it is read. It takes a round trip off every start.
 */
export class Newcomers {
  readonly #cache: InstanceCache;
  readonly #refused = new Set<string>();

  constructor(cache: InstanceCache) {
    this.#cache = cache;
  }

  /** The keys of these arrivals: those to look at, and those that are taken for new. */
  among(arrivals: readonly Arrival[]): {
    readonly known: ReadonlySet<string>;
    readonly presumed: readonly string[];
  } {
    const known = new Set<string>();
    const presumed: string[] = [];
    const seen = new Set<string>();
    for (const { key, kind } of arrivals) {
      if (key === "" || seen.has(key)) continue;
      seen.add(key);
      const isPresumed = kind === "start" && !this.#cache.has(key) && !this.#refused.has(key);
      if (isPresumed) presumed.push(key);
      else known.add(key);
    }
    return { known, presumed };
  }

  /** The store has something else of these keys than was expected. */
  refused(keys: readonly string[]): void {
    for (const key of keys) this.#refused.add(key);
  }

  /** What was planned is in the store, and with it in the cache. */
  committed(): void {
    this.#refused.clear();
  }
}
