import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

export interface ChildOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A Node.js process of the test, and what it says. */
export class Child {
  readonly #process: ChildProcess;
  readonly #watcher: ChildProcess;
  #text = "";

  /** Runs `node` with these arguments; of this process's environment it gets next to nothing. */
  constructor({ args, env = {} }: ChildOptions) {
    const { PATH = "", HOME = "", TMPDIR = "" } = process.env;
    this.#process = spawn(process.execPath, args, {
      env: { PATH, HOME, TMPDIR, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    // The child ends with the test run, however that ends: the shell notices that nobody holds its input any more.
    const untilInputEnds = `cat >/dev/null; kill -9 ${this.#process.pid}`;
    this.#watcher = spawn("sh", ["-c", untilInputEnds], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#process.on("exit", () => this.#watcher.kill("SIGKILL"));
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on("data", (chunk) => {
        this.#text += String(chunk);
      });
    }
  }

  /** Everything it has said so far. */
  get text(): string {
    return this.#text;
  }

  /** Resolves with the first match in what it says. */
  async says(pattern: RegExp, withinMs = 30_000): Promise<RegExpExecArray> {
    const endsAt = performance.now() + withinMs;
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match !== null) return match;
      if (performance.now() > endsAt || this.#hasEnded()) {
        throw new Error(`It never said ${pattern}:\n${this.#text}`);
      }
      await sleep(20);
    }
  }

  /** Sends a signal, such as SIGSTOP; of no effect once it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (!this.#hasEnded()) this.#process.kill(signal);
  }

  /** Sends a signal and resolves with the exit code, or with null when the signal ended it. */
  end(signal: NodeJS.Signals = "SIGKILL"): Promise<number | null> {
    if (!this.#hasEnded()) this.#process.kill(signal);
    return this.ended();
  }

  /** Resolves with the exit code once it has ended. */
  async ended(): Promise<number | null> {
    if (!this.#hasEnded()) await once(this.#process, "exit");
    return this.#process.exitCode;
  }

  #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }
}
