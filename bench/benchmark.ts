import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Report } from "./report.ts";

/** One run of a benchmark, and with which arguments. */
export interface Benchmark {
  /** As `npm run bench:<bench>` has it. */
  readonly bench: string;
  /** What it is told at any size. */
  readonly how?: string;
  /** Its sizes, where they are not those that it has when nobody gives them. */
  readonly full?: string;
  /** About a tenth of its sizes, to try it out. */
  readonly quick: string;
}

/** What became of one run. */
export type Outcome =
  | { readonly kind: "measured"; readonly report: Report }
  | { readonly kind: "failed"; readonly reason: string };

interface Ended {
  /** Null when a signal has ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** As many of the last characters of stderr tell why a process has failed. */
const tailCharacters = 8_000;

export function argumentsOf({ how, full, quick }: Benchmark, isQuick: boolean): readonly string[] {
  const parts = [how, isQuick ? quick : full].filter((part) => part !== undefined);
  return parts.flatMap((part) => part.split(" "));
}

/** What to type to have it alone. */
export function commandOf(benchmark: Benchmark, isQuick: boolean): string {
  const args = argumentsOf(benchmark, isQuick);
  return [`npm run bench:${benchmark.bench}`, ...(args.length > 0 ? ["--", ...args] : [])].join(
    " ",
  );
}

/** Runs it as a process of its own; what it says of its progress is passed on. */
export async function runBenchmark(benchmark: Benchmark, isQuick: boolean): Promise<Outcome> {
  const file = fileURLToPath(new URL(`${benchmark.bench}.ts`, import.meta.url));
  const args = [file, "--json", ...argumentsOf(benchmark, isQuick)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += String(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    process.stderr.write(chunk);
    stderr = (stderr + String(chunk)).slice(-tailCharacters);
  });
  await once(child, "close");
  return outcomeOf({ code: child.exitCode, stdout, stderr });
}

/** Reads what a benchmark has left behind: its result is the last line that it has printed. */
export function outcomeOf({ code, stdout, stderr }: Ended): Outcome {
  const ending = code === null ? "a signal ended it" : `it ended with ${code}`;
  if (code !== 0) return { kind: "failed", reason: reasonIn(stderr) ?? ending };
  try {
    return { kind: "measured", report: JSON.parse(linesOf(stdout).at(-1) ?? "") as Report };
  } catch {
    return { kind: "failed", reason: "its last line is no JSON" };
  }
}

/** The error that ended it, which Node.js prints above its own version. */
function reasonIn(stderr: string): string | undefined {
  const lines = linesOf(stderr);
  return lines.findLast((line) => /^\w*Error\b.*: /.test(line)) ?? lines.at(-1);
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}
