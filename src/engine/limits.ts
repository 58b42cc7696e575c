/** Sizes and times that an engine works with. */
export interface Limits {
  /** Messages in one batch, and their bytes. */
  readonly batchMessages: number;
  readonly batchBytes: number;
  /** Deliveries of a partition that are in this process and not acknowledged. */
  readonly prefetch: number;
  /** Above this many unconfirmed outbox entries a partition takes nothing in. */
  readonly outboxEntries: number;
  /** Above this many waiting messages a partition takes no new starts. */
  readonly backlogMessages: number;
  readonly bodyBytes: number;
  readonly recordBytes: number;
  /** How long handled messages are recognised; ids are kept twice as long. */
  readonly inboxWindowMs: number;
  /** How long an event is kept for an instance that was not started yet. */
  readonly missingInstanceWaitMs: number;
  readonly leaseMs: number;
  readonly storeDeadlineMs: number;
  /** How many processes may end over a message, tried alone, before it is poison, or over an activity before it fails. */
  readonly deaths: number;
}

const hourMs = 3_600_000;

export const defaultLimits: Limits = {
  // Between 64 and 256 the cost of a message differs by less than 8 %.
  batchMessages: 256,
  batchBytes: 1_048_576,
  prefetch: 1_000,
  outboxEntries: 10_000,
  backlogMessages: 10_000,
  bodyBytes: 262_144,
  recordBytes: 1_048_576,
  inboxWindowMs: 24 * hourMs,
  missingInstanceWaitMs: hourMs / 4,
  leaseMs: 3_000,
  storeDeadlineMs: 2_000,
  deaths: 3,
};
