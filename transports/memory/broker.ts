import type { Cancel, Clock } from "../../src/clock.ts";
import { WaybillError } from "../../src/errors.ts";
import type {
  Confirmation,
  ConsumeOptions,
  Consumer,
  Outgoing,
  Queue,
  Topology,
} from "../../src/transport.ts";
import type { Journal } from "./journal.ts";
import { MemoryQueue, type QueueEntry } from "./memory-queue.ts";
import { TopicRoutes } from "./topic-routes.ts";

interface Copy {
  readonly queue: MemoryQueue;
  readonly entry: QueueEntry;
  readonly delayMs: number;
}

const longestWaitMs = 2 ** 31 - 1;

/**
 * The queues and exchanges that all transports of one process share. Without a journal everything ends with
 * the object. With one, every queue but the reply queues is written down with its bindings: publishing
 * resolves, and consumers are served, only after the journal has the message.
 */
export class MemoryBroker {
  readonly #clock: Clock;
  readonly #journal: Journal | undefined;
  readonly #queues = new Map<string, MemoryQueue>();
  readonly #routes = new TopicRoutes();
  readonly #delays = new Set<Cancel>();
  #lastId = 0;

  constructor(options: { readonly clock: Clock; readonly journal?: Journal }) {
    this.#clock = options.clock;
    this.#journal = options.journal;
    if (options.journal !== undefined) this.#restore(options.journal);
  }

  /** @throws WaybillError `queue-mismatch` when a queue exists as another kind, `unknown-queue` for a binding to none. */
  async declare(topology: Topology): Promise<void> {
    this.#declare(topology);
    const lasts = (name: string) => this.queue(name).queue.kind !== "reply";
    await this.#journal?.declare({
      queues: topology.queues.filter(({ name }) => lasts(name)),
      bindings: topology.bindings.filter(({ queue }) => lasts(queue)),
    });
  }

  /** Lets go of the delayed messages that it would still release; a journal has them. */
  close(): void {
    for (const cancel of this.#delays) cancel();
    this.#delays.clear();
  }

  /** Takes a batch in order; see `Transport.publish`. */
  async publish(batch: readonly Outgoing[]): Promise<readonly Confirmation[]> {
    const copies: Copy[] = [];
    const confirmations = batch.map((outgoing): Confirmation => {
      const queues = this.#queuesFor(outgoing);
      for (const queue of queues) copies.push(this.#copy(queue, outgoing));
      return queues.length > 0 || outgoing.exchange !== "" ? "confirmed" : "returned";
    });
    if (this.#journal && !(await this.#write(this.#journal, copies))) {
      return confirmations.map((one) => (one === "confirmed" ? "failed" : one));
    }
    for (const { queue, entry, delayMs } of copies) this.#placeAfter(queue, entry, delayMs);
    return confirmations;
  }

  /** @throws WaybillError `unknown-queue` when it was never declared. */
  consume(options: ConsumeOptions): Consumer {
    return this.queue(options.queue).consume(options);
  }

  /** @throws WaybillError `unknown-queue` when it was never declared. */
  queue(name: string): MemoryQueue {
    const queue = this.#queues.get(name);
    if (queue) return queue;
    throw new WaybillError({
      code: "unknown-queue",
      message: `There is no queue "${name}".`,
      action: "Declare the queue before it is consumed or bound.",
    });
  }

  /** Removes a queue with all that it holds. */
  remove(name: string): void {
    this.#queues.delete(name);
    this.#routes.unbindQueue(name);
  }

  #restore(journal: Journal): void {
    this.#declare(journal.topology());
    for (const { id, queue, message, handedOut, dueAt } of journal.load()) {
      this.#lastId = Math.max(this.#lastId, id);
      const delayMs = dueAt === undefined ? 0 : dueAt - this.#clock.wall();
      this.#placeAfter(this.queue(queue), { id, message, handedOut }, delayMs);
    }
  }

  #declare(topology: Topology): void {
    for (const queue of topology.queues) this.#declareQueue(queue);
    for (const binding of topology.bindings) {
      this.queue(binding.queue);
      this.#routes.bind(binding);
    }
  }

  #declareQueue(queue: Queue): void {
    const known = this.#queues.get(queue.name);
    if (known && known.queue.kind !== queue.kind) throw kindMismatch(known.queue, queue);
    if (known) return;
    const made = new MemoryQueue(queue, this.#clock, {
      handingOut: (entries) => this.#tellJournal(queue, "handOut", entries),
      acknowledged: (entries) => this.#tellJournal(queue, "remove", entries),
    });
    this.#queues.set(queue.name, made);
  }

  #tellJournal(queue: Queue, what: "handOut" | "remove", entries: readonly QueueEntry[]): void {
    if (queue.kind === "reply") return;
    this.#journal?.[what](entries.map((entry) => entry.id));
  }

  #queuesFor(outgoing: Outgoing): readonly MemoryQueue[] {
    const { exchange, routingKey } = outgoing;
    const names = exchange === "" ? [routingKey] : this.#routes.queuesFor(exchange, routingKey);
    return names.map((name) => this.#queues.get(name)).filter((queue) => queue !== undefined);
  }

  #copy(queue: MemoryQueue, outgoing: Outgoing): Copy {
    this.#lastId += 1;
    const entry = { id: this.#lastId, message: outgoing.message, handedOut: 0 };
    return { queue, entry, delayMs: outgoing.delayMs ?? 0 };
  }

  async #write(journal: Journal, copies: readonly Copy[]): Promise<boolean> {
    const lasting = copies.filter(({ queue }) => queue.queue.kind !== "reply");
    if (lasting.length === 0) return true;
    const now = this.#clock.wall();
    const entries = lasting.map(({ queue, entry, delayMs }) => ({
      ...entry,
      queue: queue.queue.name,
      dueAt: delayMs > 0 ? now + delayMs : undefined,
    }));
    try {
      await journal.append(entries);
      return true;
    } catch {
      return false;
    }
  }

  #placeAfter(queue: MemoryQueue, entry: QueueEntry, delayMs: number): void {
    if (delayMs > 0) this.#placeAt(queue, entry, this.#clock.monotonic() + delayMs);
    else queue.place(entry);
  }

  /** Timers may fire a fraction early and reach no further than 2^31-1 ms, so each is looked at again. */
  #placeAt(queue: MemoryQueue, entry: QueueEntry, due: number): void {
    const leftMs = Math.ceil(due - this.#clock.monotonic());
    if (leftMs <= 0) {
      queue.place(entry);
      return;
    }
    const cancel = this.#clock.after(Math.min(leftMs, longestWaitMs), () => {
      this.#delays.delete(cancel);
      this.#placeAt(queue, entry, due);
    });
    this.#delays.add(cancel);
  }
}

function kindMismatch(known: Queue, wanted: Queue): WaybillError {
  return new WaybillError({
    code: "queue-mismatch",
    message: `Queue "${known.name}" exists as "${known.kind}", not as "${wanted.kind}".`,
    action: "Give the queue another name, or declare it with the kind it has.",
  });
}
