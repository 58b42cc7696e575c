/** How long work stood still, time after time. */
export interface Times {
  readonly name: string;
  readonly timesMs: readonly number[];
  /** What none of them may exceed, if anything. */
  readonly targetMs?: number;
}

/** A line for each, with the median and the longest. */
export function tableOf(measured: readonly Times[]): string {
  const rows = measured.map(({ name, timesMs, targetMs = Infinity }) => {
    const sorted = timesMs.toSorted((left, right) => left - right);
    const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? Infinity;
    const longest = sorted.at(-1) ?? Infinity;
    const verdict = longest <= targetMs ? "met" : "MISSED";
    const told = targetMs === Infinity ? "" : verdict;
    const cells = [median, longest, targetMs].map((ms) => (ms === Infinity ? "-" : `${ms} ms`));
    const text = cells.map((cell) => cell.padStart(10)).join(" ");
    return `${name.padEnd(38)} ${text}  ${told} (${timesMs.length} rounds)`;
  });
  const head = ["median", "longest", "target"].map((word) => word.padStart(10)).join(" ");
  return `${"time until work goes on".padEnd(38)} ${head}\n${rows.join("\n")}\n`;
}
