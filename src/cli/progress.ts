import { type Clock, sleep } from "../clock.ts";
import type { Client } from "../engine/client.ts";
import { WaybillError } from "../errors.ts";

/** What a summary shows. Numbers count instances. */
export interface ProgressFacts {
  readonly workflow: string;
  /** How many there will be; without an end to come, how many there are. */
  readonly total: number;
  readonly ended: number;
  /** By final state, in the order of the workflow's outcomes. */
  readonly ends: readonly Tally[];
  /** By top-level state, those that are under way. */
  readonly underway: readonly Tally[];
  /** What wants a person: `failed`, `error`, `suspended` and the tag `attention`; only those above 0. */
  readonly trouble: readonly Tally[];
  /** Ended per second, over the last seconds. */
  readonly perSecond: number;
  readonly elapsedMs: number;
}

export interface Tally {
  readonly name: string;
  readonly count: number;
}

export interface ProgressOptions {
  readonly clock: Clock;
  readonly workflow: string;
  /** The final states, in the order to show them. */
  readonly outcomes: readonly string[];
  /** How many instances there will be; undefined when there is no end. */
  readonly total?: number;
}

type Counts = Readonly<Record<string, number>>;

const windowMs = 5_000;
const endedStatuses = ["status:done", "status:error", "status:stopped"] as const;

/** What is known about the instances of a workflow, as the store counts them. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #startedMs: number;
  #counts: Counts = {};
  #samples: readonly { readonly atMs: number; readonly ended: number }[] = [];

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonic();
  }

  /** Takes the newest counts of the store. */
  take(counts: Counts): void {
    this.#counts = counts;
    const atMs = this.#options.clock.monotonic();
    const recent = this.#samples.filter((sample) => atMs - sample.atMs <= windowMs);
    this.#samples = [...recent, { atMs, ended: this.ended }];
  }

  get ended(): number {
    return sum(endedStatuses.map((status) => this.#counts[status] ?? 0));
  }

  get all(): number {
    const statuses = Object.entries(this.#counts).filter(([term]) => term.startsWith("status:"));
    return sum(statuses.map(([, count]) => count));
  }

  get open(): number {
    return this.all - this.ended;
  }

  facts(): ProgressFacts {
    const { workflow, outcomes, total, clock } = this.#options;
    return {
      workflow,
      total: Math.max(total ?? 0, this.all),
      ended: this.ended,
      ends: outcomes.map((name) => ({ name, count: this.#counts[`state:${name}`] ?? 0 })),
      underway: this.#underway(),
      trouble: this.#trouble(),
      perSecond: this.#perSecond(),
      elapsedMs: clock.monotonic() - this.#startedMs,
    };
  }

  #underway(): readonly Tally[] {
    const { outcomes } = this.#options;
    return Object.entries(this.#counts)
      .filter(([term]) => term.startsWith("state:") && !term.includes("."))
      .map(([term, count]) => ({ name: term.slice("state:".length), count }))
      .filter(({ name, count }) => count > 0 && !outcomes.includes(name));
  }

  #trouble(): readonly Tally[] {
    return ["status:failed", "status:error", "status:suspended", "tag:attention"]
      .map((term) => ({ name: term.slice(term.indexOf(":") + 1), count: this.#counts[term] ?? 0 }))
      .filter(({ count }) => count > 0);
  }

  #perSecond(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs === first.atMs) return 0;
    return ((last.ended - first.ended) * 1_000) / (last.atMs - first.atMs);
  }
}

const pollMs = 200;

export interface PollOptions {
  readonly client: Pick<Client, "workflow">;
  readonly clock: Clock;
  readonly workflow: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Keeps `progress` up to date until the signal is aborted, and once more then. It asks five times a second, or
 * less often when the store takes long to count, so that counting never takes more than a tenth of the time.
 */
export async function pollCounts(options: PollOptions): Promise<void> {
  while (!options.signal.aborted) {
    const tookMs = await takeCounts(options);
    await sleep(options.clock, Math.max(pollMs, 10 * tookMs));
  }
  await takeCounts(options);
}

/** Brings `progress` up to date once; resolves with the milliseconds that it took. */
export async function takeCounts(options: Omit<PollOptions, "signal">): Promise<number> {
  const { client, clock, workflow, progress } = options;
  const startedMs = clock.monotonic();
  try {
    progress.take((await client.workflow(workflow)).counts);
  } catch (thrown) {
    if (!(thrown instanceof WaybillError) || !thrown.retryable) throw thrown;
  }
  return clock.monotonic() - startedMs;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
