/** The trials of one process, one at a time: what it ends in is what has ended it. */
export class TrialRoom {
  /** The process, as it is known to the others. */
  readonly by: string;
  #living: ReadonlySet<string> = new Set();
  #last: Promise<unknown> = Promise.resolve();
  #lastActivity: Promise<unknown> = Promise.resolve();

  constructor(by: string) {
    this.by = by;
  }

  /** The processes that have announced themselves in time. */
  heardOf(living: Iterable<string>): void {
    this.#living = new Set(living);
  }

  /** Whether a process lives: one that does has lost a partition for another reason than what it tried there. */
  isAlive(by: string): boolean {
    return by === this.by || this.#living.has(by);
  }

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** The same for activities, which may take long. */
  runActivity(work: () => Promise<void>): void {
    this.#lastActivity = this.#lastActivity.then(work).catch(() => undefined);
  }
}
