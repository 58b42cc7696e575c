import { parseArgs } from "node:util";
import { allRows, quickRows, type Row } from "./configurations.ts";
import { type Exploration, explore } from "./explore.ts";

const mostStates = 3_000_000;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
  },
});

const rows = values.quick ? quickRows : allRows;
if (!values.json) tell(["configuration", "states", "depth", "seconds", "result"]);
const results = rows.map(run);
process.exitCode = results.every(({ asExpected }) => asExpected) ? 0 : 1;
if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);

/** Explores one configuration and shows what came of it. */
function run(row: Row) {
  const startedAt = performance.now();
  const { trace, isExhaustive, states, depth, broken } = explore(row, mostStates);
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  const asExpected = isAsExpected(row, { isExhaustive, broken });
  const result = resultOf(row, { isExhaustive, broken });
  if (!values.json) {
    tell([row.name, states, depth, seconds, `${asExpected ? "" : "NOT EXPECTED: "}${result}`]);
    for (const [at, label] of trace.entries()) process.stdout.write(`    ${at + 1}. ${label}\n`);
  }
  const { name } = row;
  return { configuration: name, states, depth, seconds, result, asExpected, trace };
}

function isAsExpected(
  { breaks }: Row,
  { broken, isExhaustive }: Pick<Exploration, "broken" | "isExhaustive">,
): boolean {
  return breaks === undefined ? isExhaustive && broken === undefined : breaks.test(broken ?? "");
}

function resultOf(
  { because }: Row,
  { broken, isExhaustive }: Pick<Exploration, "broken" | "isExhaustive">,
): string {
  if (broken !== undefined) return `broken: ${broken}`;
  if (!isExhaustive) return "holds as far as it was looked at";
  return because === undefined ? "holds, exhaustive" : `holds, exhaustive: ${because}`;
}

function tell([name, states, depth, seconds, result]: readonly unknown[]): void {
  const figures = [states, depth, seconds].map((figure) => String(figure).padStart(9)).join("");
  process.stdout.write(`${String(name).padEnd(58)}${figures}  ${String(result)}\n`);
}
