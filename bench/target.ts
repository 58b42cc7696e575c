import type { Benchmark, Outcome } from "./benchmark.ts";
import { type Report, rounded } from "./report.ts";

/** What a figure has to be. */
export type Limit = { readonly atMost: number } | { readonly atLeast: number };

/** A figure of a benchmark that somebody counts on. */
export interface Target {
  /** What picks it; `timers` picks also `timers.p50`. */
  readonly name: string;
  readonly what: string;
  readonly benchmark: Benchmark;
  /** Not a number when the report has it not. */
  readonly read: (report: Report) => number;
  readonly limit: Limit;
  readonly unit: string;
  /** Other figures of the report that help to judge this one, by what they are. */
  readonly beside?: (report: Report) => Readonly<Record<string, number>>;
  /** It takes so long that it has to be asked for. */
  readonly isLong?: true;
}

/** A target with what was seen of it. */
export interface Row {
  readonly name: string;
  readonly what: string;
  readonly target: string;
  readonly seen?: number;
  readonly unit: string;
  readonly beside?: Readonly<Record<string, number>>;
  readonly met: boolean;
  readonly command: string;
  /** Why nothing was seen. */
  readonly problem?: string;
}

/**
 * The targets of that name, or all that are not long when there is none; `all` are the long ones too.
 * @throws TypeError for a name that picks nothing.
 */
export function pick(
  targets: readonly Target[],
  { only, all }: { readonly only: string; readonly all: boolean },
): readonly Target[] {
  if (only === "") return targets.filter(({ isLong = false }) => all || !isLong);
  const wanted = only.split(",");
  for (const one of wanted) {
    if (targets.some(({ name }) => isNamed(one, name))) continue;
    const known = targets.map(({ name }) => name).join(", ");
    throw new TypeError(`There is no row "${one}"; there are: ${known}`);
  }
  return targets.filter(({ name }) => wanted.some((one) => isNamed(one, name)));
}

function isNamed(wanted: string, name: string): boolean {
  return name === wanted || name.startsWith(`${wanted}.`);
}

/** Judges a target by what became of its benchmark. */
export function rowOf(target: Target, command: string, outcome: Outcome): Row {
  const { name, what, unit, limit } = target;
  const head = { name, what, target: limitText(limit, unit), unit, command };
  if (outcome.kind === "failed") return { ...head, met: false, problem: outcome.reason };
  const { report } = outcome;
  const seen = rounded(target.read(report), 2);
  if (!Number.isFinite(seen)) {
    return { ...head, met: false, problem: "its result has no such figure" };
  }
  const beside = target.beside?.(report);
  return { ...head, seen, met: isMet(seen, limit), ...(beside !== undefined && { beside }) };
}

function isMet(seen: number, limit: Limit): boolean {
  return "atMost" in limit ? seen <= limit.atMost : seen >= limit.atLeast;
}

function limitText(limit: Limit, unit: string): string {
  return "atMost" in limit ? `≤ ${shown(limit.atMost, unit)}` : `≥ ${shown(limit.atLeast, unit)}`;
}

/** The rows as one Markdown table. */
export function markdownOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.what,
    row.target,
    seenText(row),
    row.met ? "yes" : "no",
    `\`${row.command}\``,
  ]);
  const lines = [["what", "target", "seen", "met", "command"], Array(5).fill("---"), ...cells];
  return lines.map((line) => `| ${line.map(escaped).join(" | ")} |`).join("\n");
}

function seenText({ seen, unit, beside = {}, problem }: Row): string {
  if (seen === undefined) return `failed: ${problem}`;
  const others = Object.entries(beside).map(([what, value]) => `${what} ${numberText(value)}`);
  return others.length === 0 ? shown(seen, unit) : `${shown(seen, unit)} (${others.join(", ")})`;
}

function shown(value: number, unit: string): string {
  return unit === "" ? numberText(value) : `${numberText(value)} ${unit}`;
}

function numberText(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 2 });
}

function escaped(cell: string): string {
  return cell.replaceAll("|", "\\|").replaceAll("\n", " ");
}
