import { parseArgs } from "node:util";
import { firstCatch, report, runSeeds } from "./campaign.ts";
import { mutants } from "./mutants.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    mutants: { type: "boolean", default: false },
  },
});

const seed = wholeNumber("seed", values.seed);
const seeds = wholeNumber("seeds", values.seeds);

if (values.mutants) await huntMutants();
else await hunt();

/** Runs the seeds; a single one is shown with everything that happened. */
async function hunt(): Promise<void> {
  const startedAt = performance.now();
  const { failed, ...figures } = await runSeeds(seed, seeds);
  const seconds = Math.round(performance.now() - startedAt) / 1_000;
  const failedSeeds = failed.map((outcome) => outcome.seed);
  if (failed.length > 0) process.exitCode = 1;
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ ...figures, failedSeeds, seconds })}\n`);
    return;
  }
  const shown = failed[0]?.seed ?? (seeds === 1 ? seed : undefined);
  if (shown !== undefined) process.stdout.write(`${await report(shown)}\n`);
  const { faults, ...counts } = figures;
  process.stdout.write(`${JSON.stringify(faults, undefined, 1)}\n`);
  process.stdout.write(`${JSON.stringify({ ...counts, failedSeeds, seconds })}\n`);
}

/** Looks for each mutant in the seeds from 1 on; one that is never noticed is a hole in the checks. */
async function huntMutants(): Promise<void> {
  const most = Math.max(seeds, 300);
  const found = [];
  for (const mutant of mutants) {
    const outcome = await firstCatch(mutant, most);
    const [violation = `not noticed in ${most} seeds`] = outcome?.violations ?? [];
    found.push({ mutant: mutant.name, seed: outcome?.seed ?? null, violation });
    if (outcome === undefined) process.exitCode = 1;
    if (values.json) continue;
    const at = outcome === undefined ? "never" : `seed ${outcome.seed}`;
    process.stdout.write(`${mutant.name.padEnd(48)}${at.padEnd(10)}${violation.slice(0, 120)}\n`);
  }
  if (values.json) process.stdout.write(`${JSON.stringify(found)}\n`);
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  process.stderr.write(`--${name} is a whole number above 0, not "${text}".\n`);
  return process.exit(2);
}
