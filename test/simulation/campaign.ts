import type { FaultCounts } from "./faults.ts";
import type { Mutant } from "./mutants.ts";
import { type Simulated, simulate } from "./simulate.ts";

/** What came of many seeds. */
export interface Campaign {
  readonly seeds: number;
  readonly failed: readonly Simulated[];
  readonly events: number;
  readonly virtualMs: number;
  readonly commits: number;
  readonly effects: number;
  readonly violations: number;
  readonly faults: FaultCounts;
}

export const nothingYet: Campaign = {
  seeds: 0,
  failed: [],
  events: 0,
  virtualMs: 0,
  commits: 0,
  effects: 0,
  violations: 0,
  faults: {},
};

/** Two campaigns as one. */
export function together(one: Campaign, other: Campaign): Campaign {
  const faults: FaultCounts = { ...one.faults };
  for (const [what, times] of Object.entries(other.faults)) {
    faults[what] = (faults[what] ?? 0) + times;
  }
  return {
    seeds: one.seeds + other.seeds,
    failed: [...one.failed, ...other.failed].toSorted((a, b) => a.seed - b.seed),
    events: one.events + other.events,
    virtualMs: one.virtualMs + other.virtualMs,
    commits: one.commits + other.commits,
    effects: one.effects + other.effects,
    violations: one.violations + other.violations,
    faults,
  };
}

/** Runs seeds `from`, `from` + 1, … and adds up what happened. */
export async function runSeeds(from: number, count: number, mutant?: Mutant): Promise<Campaign> {
  let sum = nothingYet;
  for (let seed = from; seed < from + count; seed += 1) {
    sum = together(sum, campaignOf(await simulate({ seed, ...(mutant && { mutant }) })));
  }
  return sum;
}

function campaignOf(outcome: Simulated): Campaign {
  const { events, virtualMs, commits, effects, violations, faults } = outcome;
  const failed = violations.length > 0 ? [outcome] : [];
  return {
    seeds: 1,
    failed,
    events,
    virtualMs,
    commits,
    effects,
    violations: violations.length,
    faults,
  };
}

/** The first seed at which the checks notice a mutant, or undefined when none of `seeds` does. */
export async function firstCatch(mutant: Mutant, seeds: number): Promise<Simulated | undefined> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const outcome = await simulate({ seed, mutant });
    if (outcome.violations.length > 0) return outcome;
  }
  return undefined;
}

/** A seed as somebody wants to read it: what is wrong, how to see it again, and what led to it. */
export async function report(seed: number, mutant?: Mutant): Promise<string> {
  const { violations, trace, traceHash } = await simulate({
    seed,
    traced: true,
    ...(mutant && { mutant }),
  });
  const option = mutant === undefined ? "" : ` --mutant "${mutant.name}"`;
  return [
    violations.length === 0 ? `Seed ${seed} violates nothing.` : `Seed ${seed} violates:`,
    ...violations.map((what) => `- ${what}`),
    `Replay: npm run sim -- --seed ${seed}${option}`,
    `Trace ${traceHash}`,
    "virtual ms  process    what",
    ...trace,
  ].join("\n");
}
