import { createHash } from "node:crypto";
import { failAfterClaim, strike } from "./chaos.ts";
import type { FaultCounts } from "./faults.ts";
import { leftInBroker } from "./leftovers.ts";
import { memoryProblems } from "./memory-check.ts";
import type { Mutant } from "./mutants.ts";
import { isAtRest, judge } from "./oracle.ts";
import { Seating } from "./seating.ts";
import { Workload } from "./workload.ts";
import { partitions, World } from "./world.ts";

/** Virtual times of a simulation, in milliseconds. */
const bootMs = 300;
const chaosMs = 6_000;
const probeMs = 14_000;
const patienceMs = 45_000;
/** Owners forget those who wait in vain a little sooner. */
const idlerMs = 33_000;

export interface SimulationOptions {
  readonly seed: number;
  readonly mutant?: Mutant;
  /** Keeps the trace. */
  readonly traced?: boolean;
}

/** What came of one seed. */
export interface Simulated {
  readonly seed: number;
  readonly violations: readonly string[];
  /** Everything that happened, if it was kept, and a digest of it. */
  readonly trace: readonly string[];
  readonly traceHash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly commits: number;
  readonly effects: number;
  readonly faults: FaultCounts;
}

/** Runs the engine through one seeded course of faults, lets it recover, and judges what is left. */
export async function simulate(options: SimulationOptions): Promise<Simulated> {
  const { seed, mutant, traced = false } = options;
  const world = new World({ seed, traced, mutant });
  const found: string[] = [];
  const end = (error: unknown) => found.push(`a process would have ended: ${textOf(error)}`);
  process.on("unhandledRejection", end);
  try {
    found.push(...(await play(world)));
  } catch (error) {
    end(error);
  } finally {
    process.off("unhandledRejection", end);
  }
  const { scheduler, recorder, trace, faults } = world;
  return {
    seed,
    violations: found,
    trace: trace.lines,
    traceHash: createHash("sha256").update(trace.lines.join("\n")).digest("hex"),
    events: scheduler.events,
    virtualMs: scheduler.now,
    commits: recorder.log.length,
    effects: recorder.promised.size,
    faults: faults.counts,
  };
}

async function play(world: World): Promise<readonly string[]> {
  const { scheduler, chance, faults, recorder, trace, server } = world;
  await recorder.open({ partitions });
  const seating = new Seating(world);
  await seating.begin(2 + chance.below(2), 1 + chance.below(2));
  const workload = await Workload.begin(world);
  await scheduler.run(bootMs);
  faults.begin();
  if (world.mayForget) world.tail.begin();
  workload.play(chaosMs * 0.7);
  const strikes = chance.below(9);
  for (let count = 0; count < strikes; count += 1) {
    scheduler.at(chance.between(0, chaosMs), () => strike(world, seating));
  }
  for (let count = seating.isRollout ? 1 + chance.below(3) : 0; count > 0; count -= 1) {
    scheduler.at(chance.between(300, chaosMs), () => strike(world, seating, "deploy"));
  }
  if (world.mayForget) {
    failAfterClaim(world, seating);
    scheduler.at(chance.between(500, chaosMs), () => strike(world, seating, "store restart"));
  }
  await scheduler.run(bootMs + chaosMs);
  faults.end();
  seating.putRight();
  trace.say("CHAOS", "ends");
  const calmSince = server.now();
  await recover(world, workload);
  if (workload.hasIdlers) await scheduler.run(scheduler.now + idlerMs);
  const problems = judge(world, workload, calmSince);
  trace.say("OWNERS", world.owners());
  // Where commits are lost for good, senders and requesters may still be at it.
  if (!world.tail.isWhole) return problems;
  const kept = memoryProblems(seating.engines);
  return [...problems, ...kept, ...(await leftInBroker(world, seating))];
}

/** Lets everything come to its end, with one more instance whose timers must be on time. */
async function recover(world: World, workload: Workload): Promise<void> {
  const { scheduler } = world;
  const endsAt = scheduler.now + patienceMs;
  await scheduler.run(scheduler.now + probeMs);
  world.settle(true);
  workload.errand("probe", 10);
  await scheduler.run(scheduler.now + 1_000);
  // What depends on commits that nobody could write again may never come to rest.
  while (scheduler.now < endsAt && world.tail.isWhole && !isAtRest(world, workload)) {
    await scheduler.run(scheduler.now + 250);
  }
  world.settle(false);
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
