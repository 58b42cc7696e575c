import { stripVTControlCharacters, styleText } from "node:util";
import type { Cancel, Clock } from "../clock.ts";
import type { ProgressFacts } from "./progress.ts";
import { type Paint, plainLine, summaryLines } from "./summary-lines.ts";

/** Where the summary is shown; `process.stderr` is one. */
export interface Terminal extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface SummaryOptions {
  readonly facts: () => ProgressFacts;
  readonly terminal: Terminal;
  readonly clock: Clock;
}

const redrawMs = 200;
const plainMs = 3_000;
const defaultColumns = 80;

/** Shows how far a run is: redrawn in place on a terminal, a plain line every few seconds elsewhere. */
export class LiveSummary {
  readonly #options: SummaryOptions;
  readonly #live: boolean;
  readonly #paint: Paint;
  #drawnLines = 0;
  #cancel: Cancel | undefined;

  constructor(options: SummaryOptions) {
    this.#options = options;
    this.#live = options.terminal.isTTY === true;
    // styleText looks at NO_COLOR, FORCE_COLOR and whether the stream is a terminal.
    this.#paint = (format, text) => styleText(format, text, { stream: options.terminal });
  }

  start(): void {
    this.#show();
    this.#cancel = this.#options.clock.after(this.#live ? redrawMs : plainMs, () => this.start());
  }

  /** Shows the last state and leaves it there. */
  stop(): void {
    this.#cancel?.();
    this.#show();
    this.#drawnLines = 0;
  }

  /** Writes a line of talk above the summary. */
  print(line: string): void {
    this.#options.terminal.write(`${this.#erase()}${line}\n`);
    if (this.#live) this.#show();
  }

  #show(): void {
    const { facts, terminal } = this.#options;
    if (!this.#live) {
      terminal.write(`${plainLine(facts())}\n`);
      return;
    }
    // A terminal that was not told its size says 0.
    const columns = terminal.columns || defaultColumns;
    const lines = summaryLines(facts(), { columns, paint: this.#paint });
    const text = lines.map((line) => `${clip(line, columns)}\n`).join("");
    terminal.write(`${this.#erase()}${text}`);
    this.#drawnLines = lines.length;
  }

  #erase(): string {
    const up = this.#drawnLines;
    this.#drawnLines = 0;
    return up === 0 ? "" : `\u001B[${up}A\u001B[0J`;
  }
}

/** A line that wraps would spoil the count of lines to go up. */
function clip(line: string, columns: number): string {
  const text = stripVTControlCharacters(line);
  return text.length < columns ? line : `${text.slice(0, columns - 2)}…`;
}
