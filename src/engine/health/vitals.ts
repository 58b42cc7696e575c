/** What an owner can tell of a partition without asking anybody. */
export interface PartitionVitals {
  readonly partition: number;
  /** Batches committed since it was claimed. */
  readonly commits: number;
  /** Messages taken in and not committed yet. */
  readonly waiting: number;
  /** When the oldest message was promised that the broker does not have, in milliseconds of the store's clock. */
  readonly oldestUnsentAt?: number;
}

/** Counts what moves in a partition. */
export class Pulse {
  #commits = 0;
  #underWay = 0;

  /** So many messages, timers and results are to be committed next. */
  took(arrivals: number): void {
    this.#underWay = arrivals;
  }

  committed(): void {
    this.#underWay = 0;
    this.#commits += 1;
  }

  vitals(
    partition: number,
    { size }: { readonly size: number },
    { oldestAt }: { readonly oldestAt: number | undefined },
  ): PartitionVitals {
    const unsent = oldestAt === undefined ? {} : { oldestUnsentAt: oldestAt };
    return { partition, commits: this.#commits, waiting: size + this.#underWay, ...unsent };
  }
}
