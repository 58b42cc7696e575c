/** A process that can own partitions, and the `workflow@version`s that it can run. */
export interface Member {
  readonly id: string;
  readonly workflows: readonly string[];
}

/** What the store knows of the processes. Times are in milliseconds of its clock. */
export interface Announced {
  /** All that live, by id. */
  readonly members: readonly Member[];
  /** Until when the one that has announced itself counts as alive. */
  readonly until: number;
  /** What `until` was before, or 0 when it was not on the list: less than it was told means that the store went back. */
  readonly before: number;
}
