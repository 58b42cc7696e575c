interface Pending {
  readonly id: number;
  readonly due: number;
  readonly task: () => void;
}

/** A clock for live XState actors. Unlike XState's own, it fires what is due together in the order of setting. */
export class ManualClock {
  now = 0;
  /** The id of the timer that was set last. */
  lastId = 0;
  #pending: readonly Pending[] = [];

  setTimeout = (task: () => void, delayMs: number): number => {
    const id = ++this.lastId;
    const due = this.now + Math.max(0, delayMs);
    this.#pending = [...this.#pending, { id, due, task }].toSorted(
      (one, other) => one.due - other.due || one.id - other.id,
    );
    return id;
  };

  clearTimeout = (id: number): void => {
    this.#pending = this.#pending.filter((pending) => pending.id !== id);
  };

  /** When each timer that is still set is due. */
  dues(): readonly number[] {
    return this.#pending.map(({ due }) => due);
  }

  /** Fires the first timer that is due by now; false when there is none. */
  fireOne(): boolean {
    const [first] = this.#pending;
    if (first === undefined || first.due > this.now) return false;
    this.#pending = this.#pending.slice(1);
    first.task();
    return true;
  }
}
