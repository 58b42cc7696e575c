import { type Benchmark, commandOf, type Outcome, runBenchmark } from "./benchmark.ts";
import { readOptions, refuse } from "./options.ts";
import { keep, machine, progress } from "./report.ts";
import { markdownOf, pick, type Row, rowOf, type Target } from "./target.ts";
import { targets } from "./targets.ts";

const groups = [...new Set(targets.map(({ name }) => name.split(".")[0]))];

/** Every figure that has a target, from the benchmarks one after the other, in one table. */
const { json, ...settings } = readOptions({
  measures: "Every figure that has a target, from the benchmarks one after the other.",
  options: {
    only: ["", `the rows to measure: ${groups.join(", ")}, or one of theirs as path.lean`],
    all: [false, "measure also the rows that take long"],
    quick: [false, "use about a tenth of the sizes, to try it out"],
  },
});
const began = performance.now();
const outcomes = new Map<Benchmark, Outcome>();

function elapsed(): string {
  const seconds = Math.round((performance.now() - began) / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function pickOrLeave(): readonly Target[] {
  try {
    return pick(targets, settings);
  } catch (error) {
    return refuse(`${(error as Error).message}\n`);
  }
}

const chosen = pickOrLeave();
const rows: Row[] = [];
for (const [index, target] of chosen.entries()) {
  const { benchmark, what } = target;
  const command = commandOf(benchmark, settings.quick);
  progress(`Row ${index + 1} of ${chosen.length}, after ${elapsed()}: ${what}`);
  const known = outcomes.get(benchmark);
  if (known === undefined) progress(command);
  const outcome = known ?? (await runBenchmark(benchmark, settings.quick));
  outcomes.set(benchmark, outcome);
  rows.push(rowOf(target, command, outcome));
}
const others = [...outcomes.values()].flatMap((outcome) =>
  outcome.kind === "measured" ? [outcome.report.othersBusyCores] : [],
);
const othersBusyCores = Math.max(0, ...others);
const result = { bench: "table", settings, othersBusyCores, rows, machine: machine() };
progress(`All rows after ${elapsed()}; other processes kept up to ${othersBusyCores} cores busy`);
keep(result);
process.stdout.write(`${json ? JSON.stringify(result) : markdownOf(rows)}\n`);
const hasFailed = [...outcomes.values()].some(({ kind }) => kind === "failed");
if (hasFailed) process.exitCode = 1;
