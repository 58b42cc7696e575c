import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface SubjectOptions {
  readonly nodeOptions?: readonly string[];
  /** Beside the environment of the benchmark. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A process that is measured. It says `ready` on its output, and ends when its input does. */
export class Subject {
  readonly #process: ChildProcess;
  /** What it said beside that it is ready. */
  readonly said: string;

  private constructor(child: ChildProcess, said: string) {
    this.#process = child;
    this.said = said;
  }

  /** Starts a file of `bench/subjects` and resolves once it says that it is ready. */
  static async start(
    file: string,
    settings: object,
    { nodeOptions = [], env = {} }: SubjectOptions = {},
  ): Promise<Subject> {
    const path = fileURLToPath(new URL(`subjects/${file}`, import.meta.url));
    const args = [...nodeOptions, path, JSON.stringify(settings)];
    const child = spawn(process.execPath, args, {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    for await (const chunk of child.stdout) {
      const [, said] = /^ready ?(.*)$/m.exec(String(chunk)) ?? [];
      if (said !== undefined) return new Subject(child, said);
    }
    throw new Error(`${file} ended with ${child.exitCode} before it was ready.`);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Lets it stand still, shorter than its lease lasts. */
  freeze(): void {
    this.#process.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process.kill("SIGCONT");
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended();
  }

  async stop(): Promise<void> {
    this.#process.stdin?.end();
    await this.#ended();
  }

  async #ended(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      await once(this.#process, "exit");
    }
  }
}
