import type { Clock } from "../../src/clock.ts";
import type { Message } from "../../src/message.ts";
import type { ConsumeOptions, Consumer, Delivery, Queue } from "../../src/transport.ts";

/** One copy of a message that lies in a queue or is out at a consumer. */
export interface QueueEntry {
  readonly id: number;
  readonly message: Message;
  handedOut: number;
}

interface Placed {
  readonly entry: QueueEntry;
  /** Order of arrival in this queue. */
  readonly position: number;
}

interface Listener {
  readonly options: ConsumeOptions;
  readonly out: Map<number, Placed>;
  lastTag: number;
  ended: boolean;
}

interface Handover {
  readonly listener: Listener;
  readonly placed: Placed;
  readonly tag: number;
}

/** What a queue tells its broker. */
export interface QueueWatcher {
  handingOut(entries: readonly QueueEntry[]): void;
  acknowledged(entries: readonly QueueEntry[]): void;
}

const handedOutPerTurn = 1_024;
const compactAbove = 1_024;

/** One queue with its consumers. Hands out once a turn of the event loop, never from within a call. */
export class MemoryQueue {
  readonly queue: Queue;
  readonly #clock: Clock;
  readonly #watcher: QueueWatcher;
  #waiting: Placed[] = [];
  #head = 0;
  #listeners: Listener[] = [];
  #nextListener = 0;
  #lastPosition = 0;
  #scheduled = false;

  constructor(queue: Queue, clock: Clock, watcher: QueueWatcher) {
    this.queue = queue;
    this.#clock = clock;
    this.#watcher = watcher;
  }

  /** Messages that wait, without those that are out at consumers. */
  depth(): number {
    return this.#waiting.length - this.#head;
  }

  place(entry: QueueEntry): void {
    this.#lastPosition += 1;
    this.#waiting.push({ entry, position: this.#lastPosition });
    this.#schedule();
  }

  consume(options: ConsumeOptions): Consumer {
    const listener: Listener = { options, out: new Map(), lastTag: 0, ended: false };
    this.#listeners.push(listener);
    this.#schedule();
    return {
      ack: (deliveries) => this.#acknowledge(listener, deliveries),
      close: async () => this.#end(listener),
    };
  }

  #acknowledge(listener: Listener, deliveries: readonly Delivery[]): void {
    const done: QueueEntry[] = [];
    for (const { tag } of deliveries) {
      const placed = listener.out.get(tag);
      if (!placed) continue;
      listener.out.delete(tag);
      done.push(placed.entry);
    }
    if (done.length === 0) return;
    this.#watcher.acknowledged(done);
    this.#schedule();
  }

  #end(listener: Listener): void {
    if (listener.ended) return;
    listener.ended = true;
    this.#listeners = this.#listeners.filter((other) => other !== listener);
    if (listener.out.size > 0) {
      const all = [...listener.out.values(), ...this.#waiting.slice(this.#head)];
      this.#waiting = all.toSorted((one, other) => one.position - other.position);
      this.#head = 0;
      listener.out.clear();
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.depth() === 0 || !this.#freeListener()) return;
    this.#scheduled = true;
    this.#clock.soon(() => {
      this.#scheduled = false;
      this.#handOut();
      this.#schedule();
    });
  }

  #handOut(): void {
    const handovers: Handover[] = [];
    for (let listener = this.#freeListener(); listener; listener = this.#freeListener()) {
      const placed = this.#takeFirst();
      if (!placed) break;
      listener.lastTag += 1;
      listener.out.set(listener.lastTag, placed);
      handovers.push({ listener, placed, tag: listener.lastTag });
      this.#nextListener = this.#listeners.indexOf(listener) + 1;
      if (handovers.length === handedOutPerTurn) break;
    }
    if (handovers.length === 0) return;
    this.#watcher.handingOut(handovers.map(({ placed }) => placed.entry));
    for (const handover of handovers) deliver(handover);
  }

  /** The consumer that the next message goes to, unless all who may have it are full. */
  #freeListener(): Listener | undefined {
    if (this.queue.kind !== "work") {
      const [active] = this.#listeners;
      return active && hasRoom(active) ? active : undefined;
    }
    const count = this.#listeners.length;
    for (let step = 0; step < count; step += 1) {
      const listener = this.#listeners[(this.#nextListener + step) % count];
      if (listener && hasRoom(listener)) return listener;
    }
    return undefined;
  }

  #takeFirst(): Placed | undefined {
    const first = this.#waiting[this.#head];
    if (!first) return undefined;
    this.#head += 1;
    if (this.#head > compactAbove && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }
}

function hasRoom(listener: Listener): boolean {
  return listener.out.size < listener.options.prefetch;
}

function deliver({ listener, placed, tag }: Handover): void {
  // A consumer before this one in the same turn may have closed it: then the message is back in the queue.
  if (listener.ended) return;
  const redeliveries = placed.entry.handedOut;
  placed.entry.handedOut += 1;
  listener.options.deliver({ message: placed.entry.message, tag, redeliveries });
}
