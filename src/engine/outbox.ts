import type { Cancel, Clock } from "../clock.ts";
import type { Fail } from "../failpoint.ts";
import type { Observer } from "../observer.ts";
import type { Outgoing, Transport } from "../transport.ts";
import { within } from "./deadline.ts";
import { republished } from "./trace-send.ts";

/** A message that a commit has promised, by its number in the partition. */
export interface Promised {
  readonly seq: number;
  readonly outgoing: Outgoing;
}

export interface OutboxOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Told which entries are safe with the broker. */
  readonly delivered: (seqs: readonly number[]) => void;
  readonly fail?: Fail | undefined;
}

const chunkSize = 500;
const confirmDeadlineMs = 10_000;
const firstRetryMs = 50;
const lastRetryMs = 5_000;
/** How long a message that no queue would take is left alone. */
const returnedRetryMs = 2_000;

/**
 * Publishes what a partition has committed, in order, until the broker has confirmed it.
 * After a failure it goes on from the first entry that was not confirmed. The store remembers all of it:
 * what is lost here with the process is published again by the next owner, under the same ids.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #waiting: Promised[] = [];
  readonly #returned = new Set<Promised>();
  #publishing = false;
  #retryMs = firstRetryMs;
  #cancel: Cancel | undefined;
  #closed = false;
  #drained: (() => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** How many entries are not confirmed yet. */
  get size(): number {
    return this.#waiting.length + this.#returned.size;
  }

  /** When the oldest of them was made, in milliseconds of the store's clock; undefined without any. */
  get oldestAt(): number | undefined {
    const oldest = [...this.#waiting.slice(0, 1), ...this.#returned];
    const times = oldest.flatMap(({ outgoing }) => outgoing.message.timestamp ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  add(entries: readonly Promised[]): void {
    if (entries.length === 0 || this.#closed) return;
    this.#waiting.push(...entries);
    this.#pump();
  }

  /** Resolves when nothing waits any more, apart from what no queue would take. */
  drained(): Promise<void> {
    if (this.#waiting.length === 0 || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained.push(resolve);
    });
  }

  /** Forgets everything. */
  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#waiting = [];
    this.#returned.clear();
    this.#tellDrained();
  }

  #pump(): void {
    const mayPublish = !this.#publishing && this.#cancel === undefined && !this.#closed;
    if (!mayPublish || this.#waiting.length === 0) return;
    this.#publishing = true;
    void this.#publish(this.#waiting.slice(0, chunkSize));
  }

  async #publish(chunk: readonly Promised[]): Promise<void> {
    const { transport, clock, fail } = this.#options;
    fail?.("publishing");
    const outcome = await within(
      clock,
      confirmDeadlineMs,
      transport.publish(chunk.map(({ outgoing }) => outgoing)),
      "The broker",
    ).catch(() => chunk.map(() => "failed" as const));
    fail?.("confirmed");
    this.#publishing = false;
    if (this.#closed) return;
    const failedAt = outcome.indexOf("failed");
    const done = failedAt < 0 ? chunk : chunk.slice(0, failedAt);
    this.#waiting = this.#waiting.slice(done.length);
    this.#settle(done, (index) => outcome[index] === "returned");
    if (failedAt >= 0) return this.#retryLater(chunk.length - failedAt);
    this.#retryMs = firstRetryMs;
    if (this.#waiting.length === 0) this.#tellDrained();
    this.#pump();
  }

  #settle(done: readonly Promised[], wasReturned: (index: number) => boolean): void {
    const returned = done.filter((_, index) => wasReturned(index));
    const delivered = done.filter((_, index) => !wasReturned(index));
    if (delivered.length > 0) this.#options.delivered(delivered.map(({ seq }) => seq));
    for (const entry of returned) this.#putAside(entry);
  }

  /** No queue would take it: it must not hold up the others, and is tried again until one does. */
  #putAside(entry: Promised): void {
    const { clock, observer } = this.#options;
    const message = `no queue "${entry.outgoing.routingKey}" takes ${entry.outgoing.message.id ?? "a message"}`;
    observer.observe({ kind: "trouble", where: "transport", message });
    this.#returned.add(entry);
    clock.after(returnedRetryMs, () => {
      if (!this.#returned.delete(entry) || this.#closed) return;
      this.#waiting.push(entry);
      this.#pump();
    });
  }

  /** The first of those that wait have been tried: the broker may have them all the same. */
  #retryLater(tried: number): void {
    const { clock, observer, transport } = this.#options;
    this.#waiting = this.#waiting.map((entry, index) =>
      index < tried ? { ...entry, outgoing: republished(entry.outgoing) } : entry,
    );
    const reason = transport.state().reason ?? "the broker did not confirm";
    observer.observe({ kind: "trouble", where: "transport", message: reason });
    this.#cancel = clock.after(this.#retryMs, () => {
      this.#cancel = undefined;
      this.#pump();
    });
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
  }

  #tellDrained(): void {
    const waiting = this.#drained;
    this.#drained = [];
    for (const tell of waiting) tell();
  }
}
