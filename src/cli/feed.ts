import { type Clock, sleep } from "../clock.ts";
import type { Client, InstanceView } from "../engine/client.ts";
import { WaybillError } from "../errors.ts";

/** One instance to start. */
export interface FeedItem {
  readonly id: string;
  readonly input: unknown;
}

export interface FeedOptions {
  readonly client: Pick<Client, "start">;
  readonly clock: Clock;
  readonly workflow: string;
  readonly items: Iterable<FeedItem>;
  /** How many starts are on their way at once. 200 when not given. */
  readonly concurrency?: number;
  /** Ends the feed between two starts. */
  readonly signal?: AbortSignal;
  /** Is told of each instance that is there now, whether it was started here or before. */
  readonly started?: (instance: InstanceView, outcome: "created" | "existing") => void;
}

export interface FeedResult {
  readonly created: number;
  readonly existing: number;
  /** What will never start, with the reason. */
  readonly refused: readonly { readonly id: string; readonly error: WaybillError }[];
}

const shortestPauseMs = 100;
const longestPauseMs = 5_000;

/**
 * Starts an instance for each item. One that is there already with the same input counts as existing, so that
 * the same feed can be repeated after any interruption. While the engine is overloaded or away it waits and
 * tries again.
 */
export async function feed(options: FeedOptions): Promise<FeedResult> {
  const { items, concurrency = 200, signal } = options;
  const result = { created: 0, existing: 0, refused: [] as FeedResult["refused"][number][] };
  const queue = items[Symbol.iterator]();

  async function worker(): Promise<void> {
    for (;;) {
      const next = signal?.aborted === true ? { done: true as const } : queue.next();
      if (next.done === true) return;
      await startOne(options, next.value, result);
    }
  }

  await Promise.all(Array.from({ length: concurrency }, worker));
  return result;
}

async function startOne(
  options: FeedOptions,
  { id, input }: FeedItem,
  result: { created: number; existing: number; refused: { id: string; error: WaybillError }[] },
): Promise<void> {
  const { client, clock, workflow, signal, started } = options;
  for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      const { outcome, instance } = await client.start({ workflow, id, input });
      result[outcome] += 1;
      started?.(instance, outcome);
      return;
    } catch (thrown) {
      if (!(thrown instanceof WaybillError)) throw thrown;
      if (!thrown.retryable) return void result.refused.push({ id, error: thrown });
      if (signal?.aborted) return;
      await sleep(clock, pauseMs);
    }
  }
}

export interface SeriesOptions extends Omit<FeedOptions, "items" | "concurrency"> {
  /** Item number `index` of an endless series, always the same one. */
  readonly itemAt: (index: number) => FeedItem;
  /** Where to go on: how many instances there are. */
  readonly from: number;
  readonly perSecond: number;
  /** How many instances have not ended; the feed holds back above `mostOpen`. */
  readonly open: () => number;
  readonly mostOpen: number;
}

const tickMs = 100;

/** Starts instances of an endless series at a steady rate until its signal is aborted. */
export async function feedSeries(options: SeriesOptions & { signal: AbortSignal }): Promise<void> {
  const { clock, itemAt, from, perSecond, open, mostOpen, signal } = options;
  let next = from;
  let owed = 0;
  while (!signal.aborted) {
    owed = open() < mostOpen ? owed + (perSecond * tickMs) / 1_000 : 0;
    const count = Math.floor(owed);
    const items = Array.from({ length: count }, (_, offset) => itemAt(next + offset));
    owed -= count;
    next += count;
    await Promise.all([feed({ ...options, items, concurrency: 50 }), sleep(clock, tickMs)]);
  }
}
