import { type Clock, sleep } from "../clock.ts";
import type { Client, InstanceView } from "../engine/client.ts";
import { WaybillError } from "../errors.ts";
import { type FeedItem, feed } from "./feed.ts";
import type { RunReport } from "./report.ts";

export interface RunOrdersOptions {
  readonly client: Pick<Client, "start" | "get">;
  readonly clock: Clock;
  readonly workflow: string;
  readonly items: readonly FeedItem[];
  /** The final states, in the order to report them. */
  readonly outcomes: readonly string[];
  /** Ends the run early; what was started goes on when the engine runs again. */
  readonly signal?: AbortSignal;
}

const pauseMs = 100;
const sliceSize = 500;

/**
 * Starts every item and waits until each is in a final state. The report says how many ended where, as the
 * store has it, so that a second run over the same items says the same and does nothing twice.
 */
export async function runOrders(options: RunOrdersOptions): Promise<RunReport> {
  const { clock, items, signal } = options;
  const startedMs = clock.monotonic();
  const run = new OrderRun(options);
  let feeding = true;
  const fed = feed({
    ...options,
    started: (instance, outcome) => run.started(instance, outcome === "existing"),
  }).finally(() => {
    feeding = false;
  });
  const followed = run.follow(() => feeding);
  const [{ refused }] = await Promise.all([fed, followed]);
  const seconds = (clock.monotonic() - startedMs) / 1_000;
  return {
    ...run.result(),
    orders: items.length,
    seconds,
    refused,
    stopped: signal?.aborted ?? false,
  };
}

/** Which instances of a run have ended, and where. */
class OrderRun {
  readonly #options: RunOrdersOptions;
  readonly #ends = new Map<string, number>();
  readonly #pending = new Set<string>();
  #endedHere = 0;
  #endedBefore = 0;

  constructor(options: RunOrdersOptions) {
    this.#options = options;
  }

  started(instance: InstanceView, existing: boolean): void {
    if (!hasEnded(instance)) this.#pending.add(instance.id);
    else this.#end(instance, existing);
  }

  /** Looks up what is pending until nothing is and nothing is to come; that takes a tenth of the time at most. */
  async follow(more: () => boolean): Promise<void> {
    const { clock, signal } = this.#options;
    for (;;) {
      const startedMs = clock.monotonic();
      await this.#lookUp([...this.#pending].slice(0, sliceSize));
      const idle = this.#pending.size === 0 && !more();
      if (idle || signal?.aborted === true) return;
      await sleep(clock, Math.max(pauseMs, 10 * (clock.monotonic() - startedMs)));
    }
  }

  result() {
    const { outcomes } = this.#options;
    const other = [...this.#ends].filter(([name]) => !outcomes.includes(name));
    return {
      final: Object.fromEntries(outcomes.map((name) => [name, this.#ends.get(name) ?? 0])),
      other: Object.fromEntries(other),
      endedHere: this.#endedHere,
      endedBefore: this.#endedBefore,
    };
  }

  async #lookUp(ids: readonly string[]): Promise<void> {
    const views = await Promise.all(ids.map((id) => this.#view(id)));
    for (const [index, id] of ids.entries()) {
      const view = views[index];
      this.#pending.delete(id);
      // Those that take long go to the back, so that they do not hide the others.
      if (view === undefined || !hasEnded(view)) this.#pending.add(id);
      else this.#end(view, false);
    }
  }

  async #view(id: string): Promise<InstanceView | undefined> {
    try {
      return await this.#options.client.get(this.#options.workflow, id);
    } catch (thrown) {
      if (thrown instanceof WaybillError && thrown.retryable) return undefined;
      throw thrown;
    }
  }

  #end({ status, state }: InstanceView, before: boolean): void {
    const name = status === "done" && typeof state === "string" ? state : status;
    this.#ends.set(name, (this.#ends.get(name) ?? 0) + 1);
    if (before) this.#endedBefore += 1;
    else this.#endedHere += 1;
  }
}

function hasEnded({ status }: InstanceView): boolean {
  return status === "done" || status === "error" || status === "stopped";
}
