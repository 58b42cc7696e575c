import { setTimeout as sleep } from "node:timers/promises";
import type { ChaosLab } from "./chaos-lab.ts";
import type { Seat } from "./seat.ts";

const everyMs = 20_000;
const megabyte = 1_048_576;
/** Fewer samples than this say nothing. */
const leastSamples = 8;
/** From the second quarter of the samples to the last one, by their medians. */
const allowedGrowth = 1.2;
const allowedMegabytes = 10;

/** Follows the resident memory of the spared processes after garbage collections, and that of Redis. */
export class MemoryWatch {
  readonly #lab: ChaosLab;
  readonly #samples = new Map<Seat, number[]>();
  #redisAtFirst = 0;

  constructor(lab: ChaosLab) {
    this.#lab = lab;
  }

  async follow(goesOn: () => boolean): Promise<void> {
    this.#redisAtFirst = await this.#redisBytes();
    for (let nextAt = performance.now(); goesOn(); ) {
      await sleep(250);
      if (performance.now() < nextAt) continue;
      nextAt += everyMs;
      for (const seat of this.#spared()) await this.#take(seat);
    }
  }

  /** Processes that have grown. */
  async problems(): Promise<readonly string[]> {
    return [...this.#samples].flatMap(([{ role }, samples]) => {
      const { early, late } = quarters(samples);
      if (samples.length < leastSamples) return [];
      if (late <= early * allowedGrowth + allowedMegabytes * megabyte) return [];
      return [`the memory of the ${role} grew from ${shown(early)} to ${shown(late)}`];
    });
  }

  /** A line for each process, and one for Redis. */
  async report(instances: number): Promise<readonly string[]> {
    const lines = [...this.#samples].map(([{ role }, samples]) => {
      const { early, late } = quarters(samples);
      const each = samples.map((bytes) => Math.round(bytes / megabyte)).join(" ");
      return `memory of the spared ${role}, resident after a collection every ${everyMs / 1_000} s, in MB: ${each}; median of the second quarter ${shown(early)}, of the last ${shown(late)}; flat is at most ×${allowedGrowth} + ${allowedMegabytes} MB`;
    });
    const grown = (await this.#redisBytes()) - this.#redisAtFirst;
    const each = Math.round(grown / Math.max(1, instances));
    return [
      ...lines,
      `memory of Redis grew by ${shown(grown)}: ${each} bytes an instance, all kept`,
    ];
  }

  #spared(): readonly Seat[] {
    return this.#lab.seats.filter(({ isSpared }) => isSpared);
  }

  async #take(seat: Seat): Promise<void> {
    const bytes = await seat.memory();
    if (bytes === undefined) return;
    this.#samples.set(seat, [...(this.#samples.get(seat) ?? []), bytes]);
  }

  async #redisBytes(): Promise<number> {
    const info = await this.#lab.redis.command("INFO", "memory").catch(() => "");
    return Number(/used_memory:(\d+)/.exec(info)?.[1] ?? 0);
  }
}

function quarters(samples: readonly number[]): { readonly early: number; readonly late: number } {
  const quarter = Math.ceil(samples.length / 4);
  return {
    early: median(samples.slice(quarter, 2 * quarter)),
    late: median(samples.slice(-quarter)),
  };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  return sorted[sorted.length >> 1] ?? 0;
}

function shown(bytes: number): string {
  return `${(bytes / megabyte).toFixed(1)} MB`;
}
