import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "../support/child-process.ts";
import type { TcpProxy } from "../support/tcp-proxy.ts";

const againMs = 100;

/** A place for a process of the system under test: when it dies, another one takes it, as under any supervisor. */
export class Seat {
  readonly role: "engine" | "worker";
  /** What it reaches RabbitMQ and Redis by. */
  readonly lines: readonly TcpProxy[];
  readonly #start: () => Child;
  #child: Child;
  #url: string | undefined;
  #isKept = true;
  /** It is not ended or frozen: what it does is followed for longer than others live. */
  isSpared = false;
  /** How many processes have ended here. */
  deaths = 0;

  constructor(role: Seat["role"], lines: readonly TcpProxy[], start: () => Child) {
    this.role = role;
    this.lines = lines;
    this.#start = start;
    this.#child = this.#sit();
  }

  /** Where it listens; undefined while it does not. */
  get url(): string | undefined {
    return this.#url;
  }

  /** What its present process has said. */
  get text(): string {
    return this.#child.text;
  }

  /** Resolves once its present process does its work. */
  async atWork(withinMs = 60_000): Promise<void> {
    await this.#child.says(/is at work/, withinMs);
  }

  /** Stops its process where it is; the answer lets it go on, if it is still there. */
  freeze(): () => void {
    const child = this.#child;
    child.signal("SIGSTOP");
    return () => child.signal("SIGCONT");
  }

  /** Resident memory after a garbage collection, in bytes; undefined when it does not answer. */
  async memory(): Promise<number | undefined> {
    const child = this.#child;
    const before = child.text.length;
    child.signal("SIGUSR2");
    const endsAt = performance.now() + 3_000;
    while (performance.now() < endsAt) {
      const [, rss] = /memory \{"rss":(\d+)/.exec(child.text.slice(before)) ?? [];
      if (rss !== undefined) return Number(rss);
      await sleep(20);
    }
    return undefined;
  }

  /** Ends its process without warning; another one takes its place. */
  async kill(): Promise<void> {
    await this.#child.end("SIGKILL");
  }

  /** Ends its process in good order; another one takes its place. */
  async replace(): Promise<void> {
    await this.#child.end("SIGTERM");
  }

  /** Ends its process for good, in good order unless told otherwise. */
  async leave(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.#isKept = false;
    this.#url = undefined;
    this.#child.signal("SIGCONT");
    await this.#child.end(signal);
  }

  #sit(): Child {
    const child = this.#start();
    this.#child = child;
    void this.#listen(child);
    void child.ended().then(async () => {
      this.#url = undefined;
      this.deaths += 1;
      await sleep(againMs);
      if (this.#isKept) this.#sit();
    });
    return child;
  }

  async #listen(child: Child): Promise<void> {
    const [, url] = await child.says(/listens on (http:\S+)/, 60_000).catch(() => []);
    if (this.#child === child && this.#isKept) this.#url = url;
  }
}
