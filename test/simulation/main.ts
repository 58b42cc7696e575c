import { parseArgs } from "node:util";
import { mutants } from "./mutants.ts";
import { hunt, reportOf, spread } from "./pool.ts";
import { showProgress } from "./progress.ts";

const usage = `npm run sim -- [--seed 1] [--seeds 1] [--mutant NAME] [--json]
  Plays so many seeds from that one on; shows all of a single one, or of the first that breaks a promise.
npm run sim -- --mutants [--seeds 1500]
  Takes out one guard after the other, and looks for a seed that notices.
`;

const values = read();

const seed = wholeNumber("seed", values.seed);
const seeds = values.seeds === undefined ? undefined : wholeNumber("seeds", values.seeds);

if (values.mutants) await huntMutants(seeds ?? 1_500);
else await play(seeds ?? 1);

/** Runs the seeds; a single one, or the first that fails, is shown with everything that happened. */
async function play(count: number): Promise<void> {
  const startedAt = performance.now();
  const { mutant } = values;
  const progress = showProgress(count);
  const done = await spread({ from: seed, seeds: count, progress, ...(mutant && { mutant }) });
  const seconds = Math.round(performance.now() - startedAt) / 1_000;
  const { failed, virtualMs, faults, violations, ...counts } = done;
  if (failed.length > 0) process.exitCode = 1;
  const failedSeeds = failed.map((outcome) => outcome.seed);
  const shown = failed[0]?.seed ?? (count === 1 ? seed : undefined);
  if (shown !== undefined && !values.json) tell(await reportOf(shown, mutant));
  if (!values.json) tell(JSON.stringify(faults, undefined, 1));
  const { kill: kills = 0, freeze: freezes = 0, ...others } = faults;
  const virtualSeconds = Math.round(virtualMs / 1_000);
  const figures = { violations, kills, freezes, ...counts, virtualSeconds, seconds };
  tell(JSON.stringify({ ...figures, failedSeeds, faults: others }));
}

/** Looks for each mutant in the seeds from 1 on; one that is never noticed is a hole in the checks. */
async function huntMutants(most: number): Promise<void> {
  const rows = mutants.map((mutant) => ({ ...mutant, first: 0, violation: "" }));
  const names = rows.map(({ name }) => name);
  const found = await hunt(names, most);
  for (const [index, { caught }] of found.entries()) {
    const row = rows[index];
    if (row === undefined) continue;
    row.first = caught?.seed ?? 0;
    row.violation = caught?.violations[0] ?? `not noticed in ${most} seeds`;
    const known = row.covered !== undefined;
    if ((caught === undefined) !== known) process.exitCode = 1;
    if (values.json) continue;
    const at = caught === undefined ? (known ? "covered" : "NEVER") : `seed ${caught.seed}`;
    const why = caught === undefined && row.covered !== undefined ? row.covered : row.violation;
    tell(`${row.name.padEnd(31)}${row.what.padEnd(79)}${at.padEnd(11)}${why.slice(0, 140)}`);
  }
  if (!values.json) return;
  tell(
    JSON.stringify(
      rows.map(({ name, what, first, violation }) => ({ guard: name, what, first, violation })),
    ),
  );
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

function read() {
  try {
    const { values: given } = parseArgs({
      options: {
        seed: { type: "string", default: "1" },
        seeds: { type: "string" },
        json: { type: "boolean", default: false },
        mutant: { type: "string" },
        mutants: { type: "boolean", default: false },
      },
    });
    return given;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}`);
    return process.exit(2);
  }
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  process.stderr.write(`--${name} is a whole number above 0, not "${text}".\n`);
  return process.exit(2);
}
