import type {
  Commit,
  CommitAnswer,
  DeadLetterRow,
  Head,
  InboxEntry,
  InboxQuery,
  OutboxEntry,
  StoredInstance,
  TimerRow,
} from "./commit.ts";
import type { Announced, Member } from "./member.ts";

/** What survives: loss of a machine; of power; of power but for the last seconds; nothing. */
export type Durability = "replicated" | "fsync" | "second" | "memory";

/** The right to write a partition, until `leaseUntil` for liveness and until the next claim for safety. */
export interface Claim {
  readonly epoch: number;
  readonly now: number;
  /** The highest outbox `seq` ever used in the partition; 0 when none. */
  readonly lastSeq: number;
  /** What the claim found. */
  readonly head: Head;
}

/** One partition as any process can see it. Times are in milliseconds of the store's clock. */
export interface PartitionStatus {
  readonly partition: number;
  readonly epoch: number;
  /** The owner, unless its lease has run out. */
  readonly owner: string | undefined;
  readonly leaseUntil: number;
  readonly outboxEntries: number;
  readonly timers: number;
  readonly nextDue: number | undefined;
  readonly deadLetters: number;
}

export interface ListQuery {
  readonly workflow: string;
  /** Only instances that carry all of these terms. */
  readonly terms: readonly string[];
  /** Only instances written after this time, in milliseconds of the store's clock. */
  readonly updatedAfter?: number;
  readonly limit: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** `nextCursor` is there when more may follow. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}

/** Remembers every instance. `test/contracts/store-contract.ts` has a test for each sentence here and in `commit.ts`. */
export interface Store {
  /**
   * Connects and fixes the number of partitions, once for the life of the data.
   * @throws WaybillError `partition-count` when the data was made with another number,
   * `store-in-use` when another process has it for itself.
   */
  open(options: { readonly partitions: number }): Promise<void>;
  durability(): Durability;
  /** The store's clock, in milliseconds since the Unix epoch. */
  now(): Promise<number>;
  /** Says that this process lives for `ttlMs` more. */
  announce(member: Member, ttlMs: number): Promise<Announced>;
  /** Takes the process off the list at once. */
  leave(memberId: string): Promise<void>;
  /** Takes a partition whose lease is free, over or one's own, under the next epoch, if need be the one after `above`; undefined when it is another's. */
  claim(p: number, owner: string, leaseMs: number, above?: number): Promise<Claim | undefined>;
  /** Extends the lease, even one that ran out, if the epoch is the present one; answers what it found, and the store's clock. */
  renew(partition: number, epoch: number, leaseMs: number): Promise<Head & Pick<Claim, "now">>;
  /** Ends the lease at once; of no effect under another epoch. */
  release(partition: number, epoch: number): Promise<void>;
  /** The instances of these keys, in the same order, undefined where there is none. */
  load(p: number, keys: readonly string[]): Promise<readonly (StoredInstance | undefined)[]>;
  /** Those of these messages that the instance has handled, as far as it remembers, in the same order. */
  handled(partition: number, key: string, ids: readonly string[]): Promise<readonly string[]>;
  /** Message ids that the instance remembers, in an order of the store's own; those that stay come at least once. */
  inbox(partition: number, key: string, query: InboxQuery): Promise<Page<InboxEntry>>;
  /** Outbox entries with a higher `seq`, in order. */
  outbox(partition: number, afterSeq: number, limit: number): Promise<readonly OutboxEntry[]>;
  /** Timers that are due by the store's clock, by due time and then by id, and when the next one after them is due. */
  due(
    partition: number,
    limit: number,
  ): Promise<{
    readonly now: number;
    readonly rows: readonly TimerRow[];
    readonly nextDue?: number;
  }>;
  /** Moves an armed timer to `delayMs` from now by the store's clock; false when it is not armed. */
  postpone(partition: number, timerId: string, delayMs: number): Promise<boolean>;
  /**
   * Writes all of the commit or nothing, and resolves only when it is as durable as `durability()` says.
   * It looks at the commit id, the epoch, `follows`, the versions, the inbox, then the age, and the first that
   * does not hold decides the answer. After a rejection the outcome is unknown: repeat with the same commit id.
   */
  commit(commit: Commit): Promise<CommitAnswer>;
  /** History entries after number `after` (the first is 1), in order. */
  history(
    partition: number,
    key: string,
    after: number,
    limit: number,
  ): Promise<readonly { readonly number: number; readonly entry: string }[]>;
  /** Instances of a workflow, newest first by `createdAt`, over all partitions. */
  list(query: ListQuery): Promise<Page<StoredInstance>>;
  /** How many instances of a workflow carry each of its terms, or each of these alone. */
  count(workflow: string, terms?: readonly string[]): Promise<Readonly<Record<string, number>>>;
  /** Dead letters of all partitions, oldest first. */
  deadLetters(query: {
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<Page<DeadLetterRow & { readonly partition: number; readonly at: number }>>;
  /** The dead letters of these ids that are there, in the same order. */
  loadDeadLetters(partition: number, ids: readonly string[]): Promise<readonly DeadLetterRow[]>;
  partitions(): Promise<readonly PartitionStatus[]>;
  /** Lets go of everything; closing twice does no harm. */
  close(): Promise<void>;
}
