import type { FeedResult } from "./feed.ts";

/** What came of a run. */
export interface RunReport {
  readonly orders: number;
  /** How many ended in each final state, in the order to show them. */
  readonly final: Readonly<Record<string, number>>;
  /** How many ended otherwise, by status: `error` or `stopped`. */
  readonly other: Readonly<Record<string, number>>;
  /** How many ended during this run, and how many had ended before it. */
  readonly endedHere: number;
  readonly endedBefore: number;
  readonly refused: FeedResult["refused"];
  /** True when the run was stopped before the last order had ended. */
  readonly stopped: boolean;
  readonly seconds: number;
}

/** True when every order is in a final state of the workflow. */
export function isComplete({ orders, final }: RunReport): boolean {
  return Object.values(final).reduce((sum, count) => sum + count, 0) === orders;
}

/** The result as one line of JSON, without the line's end. `ordersPerSecond` counts what ended in this run. */
export function reportJson({ orders, final, seconds, endedHere }: RunReport): string {
  return JSON.stringify({
    orders,
    final,
    seconds: rounded(seconds, 3),
    ordersPerSecond: perSecond(endedHere, seconds),
  });
}

/** The result as a table and a sentence, ending with a line's end. */
export function reportTable(report: RunReport): string {
  const { orders, final, other, seconds, endedHere, endedBefore, refused } = report;
  const rows = [...Object.entries(final), ...Object.entries(other), ["orders", orders] as const];
  const nameWidth = Math.max(...rows.map(([name]) => name.length));
  const countWidth = Math.max(...rows.map(([, count]) => String(count).length));
  const lines = rows.map(
    ([name, count]) => `${name.padEnd(nameWidth)}  ${String(count).padStart(countWidth)}`,
  );
  const rule = "-".repeat(nameWidth + 2 + countWidth);
  const before = endedBefore > 0 ? `; ${endedBefore} had ended before` : "";
  return [
    ...lines.slice(0, -1),
    rule,
    ...lines.slice(-1),
    "",
    `${endedHere} ended in ${rounded(seconds, 1)} s, ${perSecond(endedHere, seconds)} orders per second${before}.`,
    ...(report.stopped ? ["Stopped early; the same command goes on from here."] : []),
    ...refused.slice(0, 10).map(({ id, error }) => `Not started: ${id}: ${error.message}`),
    "",
  ].join("\n");
}

function perSecond(count: number, seconds: number): number {
  return seconds > 0 ? rounded(count / seconds, 1) : 0;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
