import { parseArgs } from "node:util";

/** What an option is when nobody gives it, which also makes its type, and what it means. */
export type Option = readonly [standard: string | number | boolean, means: string];

type Options = Readonly<Record<string, Option>>;
type ValueOf<Standard> = Standard extends number
  ? number
  : Standard extends boolean
    ? boolean
    : string;

/** The options of one benchmark by name, and `json`, which each has. */
export type Values<Given extends Options> = {
  readonly [Name in keyof Given]: ValueOf<Given[Name][0]>;
} & { readonly json: boolean };

/** The command line of one benchmark. */
export interface CommandLine<Given extends Options> {
  /** As `npm run bench:<name>` has it; `npm run bench` has none. */
  readonly name?: string;
  /** What it measures, in a sentence. */
  readonly measures: string;
  readonly options: Given;
}

/** What all have that start a broker and a store. */
export const servers = {
  partitions: [16, "units of order and ownership"],
  aof: ["always", "when Redis syncs its log: always, or everysec"],
} as const;

const json: Option = [false, "print one object as the last line instead of the table"];

/** Reads this process's arguments. `--help` prints what there is; it, and what cannot be read, end the process. */
export function readOptions<const Given extends Options>(line: CommandLine<Given>): Values<Given> {
  const args = process.argv.slice(2);
  if (args.includes("--help")) return leave(process.stdout, helpOf(line), 0);
  try {
    return valuesOf(args, line.options);
  } catch (error) {
    const reason = (error as Error).message;
    return refuse(`${reason}\n\n${helpOf(line)}`);
  }
}

/** Ends the process with the reason why its arguments cannot be used. */
export function refuse(reason: string): never {
  return leave(process.stderr, reason, 2);
}

function leave(to: NodeJS.WriteStream, text: string, status: number): never {
  to.write(text);
  process.exit(status);
}

/**
 * The options that these arguments give, the others as they are when nobody gives them.
 * @throws TypeError for an option that there is not, and for a number that is none.
 */
export function valuesOf<const Given extends Options>(
  args: readonly string[],
  given: Given,
): Values<Given> {
  const all: Options = { ...given, json };
  const { values } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(all).map(([name, [standard]]) => {
        return [name, { type: typeof standard === "boolean" ? "boolean" : "string" } as const];
      }),
    ),
  });
  const read = Object.entries(all).map(([name, [standard]]) => {
    const value = values[name] ?? standard;
    return [name, typeof standard === "number" ? numberOf(name, String(value)) : value];
  });
  return Object.fromEntries(read) as Values<Given>;
}

/** A list as `1,2,3`. */
export function numbers(list: string): readonly number[] {
  return list.split(",").map((one) => numberOf("list", one));
}

export function helpOf({ name, measures, options }: CommandLine<Options>): string {
  const rows = Object.entries({ ...options, json }).map(([option, [standard, means]]) => {
    const usual = standard === "" || standard === false ? "" : ` (${standard})`;
    const value = typeof standard === "boolean" ? "" : ` <${option}>`;
    return [`  --${option}${value}`, `${means}${usual}`] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `${left.padEnd(width)}  ${right}\n`);
  const script = name === undefined ? "bench" : `bench:${name}`;
  return `npm run ${script} -- [options]\n\n${measures}\n\n${lines.join("")}`;
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0) return value;
  throw new TypeError(`Option '--${name} ${text}' is not a number from 0 on`);
}
