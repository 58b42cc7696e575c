import type { FaultCounts } from "./faults.ts";
import type { Mutant } from "./mutants.ts";
import { type Simulated, simulate } from "./simulate.ts";

/** What came of many seeds. */
export interface Campaign {
  readonly seeds: number;
  readonly failed: readonly Simulated[];
  readonly events: number;
  readonly virtualSeconds: number;
  readonly commits: number;
  readonly effects: number;
  readonly violations: number;
  readonly faults: FaultCounts;
}

/** Runs seeds `from`, `from` + 1, … and adds up what happened. */
export async function runSeeds(from: number, count: number): Promise<Campaign> {
  const faults: FaultCounts = {};
  const failed: Simulated[] = [];
  let [events, virtualMs, commits, effects, violations] = [0, 0, 0, 0, 0];
  for (let seed = from; seed < from + count; seed += 1) {
    const outcome = await simulate({ seed });
    events += outcome.events;
    virtualMs += outcome.virtualMs;
    commits += outcome.commits;
    effects += outcome.effects;
    violations += outcome.violations.length;
    if (outcome.violations.length > 0) failed.push(outcome);
    for (const [what, times] of Object.entries(outcome.faults)) {
      faults[what] = (faults[what] ?? 0) + times;
    }
  }
  const virtualSeconds = Math.round(virtualMs / 1_000);
  return { seeds: count, failed, events, virtualSeconds, commits, effects, violations, faults };
}

/** The first seed at which the checks notice a mutant, or undefined when none of `seeds` does. */
export async function firstCatch(mutant: Mutant, seeds: number): Promise<Simulated | undefined> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const outcome = await simulate({ seed, mutant });
    if (outcome.violations.length > 0) return outcome;
  }
  return undefined;
}

/** A failure as somebody wants to read it: what is wrong, how to see it again, and what led to it. */
export async function report(seed: number): Promise<string> {
  const { violations, trace } = await simulate({ seed, traced: true });
  return [
    `Seed ${seed} violates:`,
    ...violations.map((what) => `- ${what}`),
    `Replay: npm run sim -- --seed ${seed}`,
    "virtual ms  process    what",
    ...trace,
  ].join("\n");
}
