import type { Cancel } from "../../src/clock.ts";

interface Entry {
  readonly at: number;
  readonly order: number;
  task: (() => void) | undefined;
}

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
   * Runs tasks until virtual time `until`, or until `isOver` says so (asked before each task). After each task one
   * turn of the real event loop lets every promise that it settled run on, so that nothing is left to chance.
   */
  async run(until: number, isOver: () => boolean = () => false): Promise<void> {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.at > until || isOver()) break;
      this.#pop();
      if (first.task === undefined) continue;
      this.now = first.at;
      this.events += 1;
      first.task();
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
    if (!isOver()) this.now = Math.max(this.now, until);
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
