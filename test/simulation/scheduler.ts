import type { Cancel } from "../../src/clock.ts";

interface Entry {
  readonly at: number;
  readonly order: number;
  task: (() => void) | undefined;
}

const tasksPerTurn = 64;

/** Virtual time: a queue of tasks by due time, and by order of arrival where times are equal. */
export class Scheduler {
  /** Virtual milliseconds since the simulation began, with fractions. */
  now = 0;
  /** Tasks that were run so far. */
  events = 0;
  #order = 0;
  readonly #heap: Entry[] = [];

  /** Runs `task` after `delayMs` of virtual time. */
  at(delayMs: number, task: () => void): Cancel {
    const entry: Entry = { at: this.now + Math.max(0, delayMs), order: this.#order++, task };
    this.#push(entry);
    return () => {
      entry.task = undefined;
    };
  }

  /**
   * Runs tasks until virtual time `until`, or until `isOver` says so (asked before each task). Between two tasks
   * every promise that the first one settled runs on, so that nothing is left to chance.
   */
  async run(until: number, isOver: () => boolean = () => false): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      let ended = false;
      const step = () => {
        if (ended) return;
        try {
          ended = !this.#runNext(until, isOver);
          if (ended) resolve();
        } catch (error) {
          ended = true;
          reject(error);
        }
      };
      // Node settles all promises after each immediate; a batch of them saves turns of the event loop.
      const go = () => {
        if (ended) return;
        for (let count = 0; count < tasksPerTurn; count += 1) setImmediate(step);
        setImmediate(go);
      };
      go();
    });
    if (!isOver()) this.now = Math.max(this.now, until);
  }

  /** False when there is nothing left to run. */
  #runNext(until: number, isOver: () => boolean): boolean {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.at > until || isOver()) return false;
      this.#pop();
      if (first.task === undefined) continue;
      this.now = first.at;
      this.events += 1;
      first.task();
      return true;
    }
    return false;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above] as Entry;
      if (isBefore(parent, entry)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let below = index * 2 + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, heap[below] as Entry)) below += 1;
      const child = heap[below] as Entry;
      if (isBefore(last, child)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
