import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type Campaign, nothingYet, together } from "./campaign.ts";
import type { Simulated } from "./simulate.ts";

/** What a thread is asked to do. */
export type Errand =
  | { readonly kind: "run"; readonly from: number; readonly count: number }
  | { readonly kind: "hunt"; readonly seeds: number }
  | { readonly kind: "report"; readonly seed: number };

const seedsAtOnce = 25;

export interface Spread {
  readonly from: number;
  readonly seeds: number;
  readonly mutant?: string;
  /** Told of all that is done so far. */
  readonly progress?: (done: Campaign) => void;
}

/** Runs many seeds on all cores. */
export async function spread({ from, seeds, mutant, progress }: Spread): Promise<Campaign> {
  const end = from + seeds;
  let next = from;
  let sum = nothingYet;
  const work = async () => {
    const thread = new SeedThread(mutant);
    try {
      while (next < end) {
        const first = next;
        next = Math.min(end, first + seedsAtOnce);
        const part = await thread.ask<Campaign>({ kind: "run", from: first, count: next - first });
        sum = together(sum, part);
        progress?.(sum);
      }
    } finally {
      await thread.end();
    }
  };
  const threads = Math.min(availableParallelism(), Math.ceil(seeds / seedsAtOnce));
  await Promise.all(Array.from({ length: threads }, work));
  return sum;
}

/** What came of the hunt for one mutant: the first seed that notices it, if one does. */
export interface Hunted {
  readonly mutant: string;
  readonly caught: Simulated | undefined;
}

/** Hunts for mutants on all cores, each in the seeds from 1 to `seeds`, and answers in the order given. */
export async function hunt(mutants: readonly string[], seeds: number): Promise<readonly Hunted[]> {
  const found = new Map<string, Hunted>();
  const waiting = [...mutants];
  const work = async () => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const thread = new SeedThread(mutant);
      try {
        const caught = await thread.ask<Simulated | undefined>({ kind: "hunt", seeds });
        found.set(mutant, { mutant, caught });
      } finally {
        await thread.end();
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return mutants.flatMap((mutant) => found.get(mutant) ?? []);
}

/** One seed with everything that happened, as text. */
export async function reportOf(seed: number, mutant: string | undefined): Promise<string> {
  const thread = new SeedThread(mutant);
  try {
    return await thread.ask<string>({ kind: "report", seed });
  } finally {
    await thread.end();
  }
}

/** A thread that does one errand after the other. */
class SeedThread {
  readonly #worker: Worker;

  constructor(mutant: string | undefined) {
    const file = new URL("./seed-worker.ts", import.meta.url);
    this.#worker = new Worker(file, { workerData: { mutant }, execArgv: [] });
  }

  ask<Answer>(errand: Errand): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#worker.once("error", reject);
      this.#worker.once("message", (answer: Answer) => {
        this.#worker.removeListener("error", reject);
        resolve(answer);
      });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      this.#worker.postMessage(errand);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
