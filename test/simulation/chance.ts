import type { Ids } from "../../src/ids.ts";
import { uuidV7 } from "../../src/ids.ts";
import { Seeded } from "../support/seeded.ts";

/** Everything that is left to chance in one simulation, from one seed. */
export class Chance {
  readonly #seeded: Seeded;

  constructor(seed: number) {
    this.#seeded = new Seeded(Math.imul(seed, 0x9e3779b1));
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    return this.#seeded.below(Math.max(1, Math.floor(below)));
  }

  /** Milliseconds from `fromMs` up to `toMs`, with thousandths. */
  between(fromMs: number, toMs: number): number {
    return fromMs + this.#seeded.below(Math.max(1, Math.round((toMs - fromMs) * 1_000))) / 1_000;
  }

  /** True with this probability. */
  hit(probability: number): boolean {
    return probability > 0 && this.#seeded.below(1_000_000) < probability * 1_000_000;
  }

  pick<Item>(items: readonly Item[]): Item {
    return this.#seeded.pick(items);
  }
}

/** UUIDs that follow from a seed and from nothing else. */
export function seededIds(chance: Chance): Ids {
  let count = 0;
  return {
    next() {
      count += 1;
      const random = Uint8Array.from({ length: 10 }, () => chance.below(256));
      return uuidV7(1_700_000_000_000 + count, random);
    },
  };
}
