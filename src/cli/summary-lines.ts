import type { ProgressFacts, Tally } from "./progress.ts";

/** Colours a text, or leaves it as it is. */
export type Paint = (format: "green" | "cyan" | "yellow" | "dim" | "bold", text: string) => string;

const widestBar = 40;
const narrowestBar = 10;
const textBesideBar = 60;

/** The lines of the live summary: a bar, what is under way, what has ended, what wants a person. */
export function summaryLines(
  facts: ProgressFacts,
  options: { readonly columns: number; readonly paint: Paint },
): readonly string[] {
  const { columns, paint } = options;
  const width = Math.min(widestBar, Math.max(narrowestBar, columns - textBesideBar));
  const lines = [
    `${paint("bold", facts.workflow)}  ${bar(facts, width, paint)}  ${share(facts)}  ${rate(facts)}  ${clockTime(facts.elapsedMs)}`,
    `  under way  ${paint("cyan", tallies(facts.underway, " · ") || "nothing")}`,
    `  ended      ${paint("green", tallies(facts.ends, " · "))}`,
  ];
  if (facts.trouble.length > 0) {
    lines.push(`  trouble    ${paint("yellow", tallies(facts.trouble, " · "))}`);
  }
  return lines;
}

/** The same in one line without colours, for logs. */
export function plainLine(facts: ProgressFacts): string {
  const parts = [
    `${share(facts)} ended`,
    rate(facts),
    tallies(facts.ends, ", "),
    `under way: ${tallies(facts.underway, ", ") || "nothing"}`,
    ...(facts.trouble.length > 0 ? [`trouble: ${tallies(facts.trouble, ", ")}`] : []),
  ];
  return `${clockTime(facts.elapsedMs)} ${facts.workflow}: ${parts.join("; ")}`;
}

function bar({ ended, total }: ProgressFacts, width: number, paint: Paint): string {
  const filled = total === 0 ? 0 : Math.floor((ended / total) * width);
  return paint("green", "█".repeat(filled)) + paint("dim", "░".repeat(width - filled));
}

function share({ ended, total }: ProgressFacts): string {
  const percent = total === 0 ? 0 : Math.floor((ended / total) * 100);
  return `${ended}/${total} ${percent} %`;
}

function rate({ perSecond }: ProgressFacts): string {
  return `${perSecond.toFixed(perSecond < 10 ? 1 : 0)} orders/s`;
}

function tallies(all: readonly Tally[], separator: string): string {
  return all.map(({ name, count }) => `${name} ${count}`).join(separator);
}

function clockTime(elapsedMs: number): string {
  const seconds = Math.floor(elapsedMs / 1_000);
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [hours = 0, minutes = 0, rest = 0] = parts;
  const tail = `${hours > 0 ? String(minutes).padStart(2, "0") : minutes}:${String(rest).padStart(2, "0")}`;
  return hours > 0 ? `${hours}:${tail}` : tail;
}
