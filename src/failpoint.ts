/**
 * The steps between which a process can end: what was done before stays done, what comes after must be made good
 * by the next one. `test/integration/failpoints` kills a process at each of them.
 */
export const failpoints = [
  /** A partition: it has one, and has not looked at it; what was left behind is on its way again. */
  "claimed",
  "redriven",
  /** A batch: it has arrived, it is about to be committed, it is committed, its messages are acknowledged. */
  "delivered",
  "timer-due",
  "committing",
  "committed",
  "acknowledged",
  /** The effects of a batch: they are about to be published, the broker has them, the store is to forget them. */
  "publishing",
  "confirmed",
  "settling",
  "settled",
  /** An answer to a requester. */
  "replying",
  "replied",
  /** A local activity: it is about to run, it has run. */
  "activity-started",
  "activity-ended",
  /** A queued one: the worker has its task, and its lease, and need not have it again; it has run, it was told. */
  "task-delivered",
  "task-leased",
  "task-acknowledged",
  "task-ended",
  "task-reported",
  /** An event of another service: it has come, it is in the queue of its partition, it is acknowledged. */
  "ingress-delivered",
  "ingress-forwarded",
  "ingress-acknowledged",
  /** A hand-over: all is finished and the queue is given back, the lease has ended. */
  "releasing",
  "released",
] as const;

export type Failpoint = (typeof failpoints)[number];

/** Is called whenever a failpoint is reached. Only tests have one: it ends the process, or counts. */
export type Fail = (at: Failpoint) => void;
