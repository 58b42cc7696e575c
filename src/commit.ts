/** One message id that an instance has handled, and when it was accepted (milliseconds, store's clock). */
export interface InboxEntry {
  readonly id: string;
  readonly at: number;
}

/** Asks for a page of an inbox. It may hold fewer ids than `limit`, even none, and yet have a `nextCursor`. */
export interface InboxQuery {
  /** Only ids that were accepted before this time, in milliseconds of the store's clock. */
  readonly before: number;
  /** So many ids are looked at, whether they fit or not; at least 1. */
  readonly limit: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** An instance as it lies in the store. The record is opaque text to the store. */
export interface StoredInstance {
  readonly key: string;
  /** 1 after the first write; the engine adds 1 for every event applied. */
  readonly version: number;
  readonly record: string;
  /** When it was first written and last written, in milliseconds of the store's clock. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A message id to remember; `bornAt` (milliseconds) is when it was first accepted, if anyone knows. */
export interface InboxAddition {
  readonly id: string;
  readonly bornAt?: number;
}

/** The change of one instance. */
export interface InstanceWrite {
  readonly key: string;
  /** The version that must be there now; 0 when there must be none. */
  readonly expectedVersion: number;
  /** The version after the write: `expectedVersion` or more. */
  readonly version: number;
  /** The new record, or undefined to remove the instance with its inbox, its index terms and its history. */
  readonly record: string | undefined;
  readonly inbox: readonly InboxAddition[];
  /** Ids that are past their time and may be forgotten. */
  readonly inboxForget: readonly string[];
  /** Terms such as `status:active` under which `list` finds it from now on, and no longer. */
  readonly termsAdded: readonly string[];
  readonly termsRemoved: readonly string[];
  /** Entries to append to its history, opaque text. */
  readonly history: readonly string[];
}

/** An effect that is promised but not yet delivered; `seq` rises within the partition, entry is opaque text. */
export interface OutboxEntry {
  readonly seq: number;
  readonly entry: string;
}

/** A timer that is armed. `id` is unique in its partition; `due` is in milliseconds of the store's clock. */
export interface TimerRow {
  readonly id: string;
  readonly due: number;
}

/** A message set aside for an operator. `id` is unique in its partition; entry is opaque text. */
export interface DeadLetterRow {
  readonly id: string;
  readonly entry: string;
}

/** Everything that one batch of a partition changes, all of it or nothing. */
export interface Commit {
  readonly partition: number;
  /** The epoch of the owner's claim. */
  readonly epoch: number;
  /** Names this attempt; a repeated commit with the id of the partition's last one gets the first answer. */
  readonly commitId: string;
  /** Id of the commit that must be the partition's last one, "" when there must be none; not looked at when not given. */
  readonly follows?: string;
  /** How old a message may be, in milliseconds: its age is judged by `bornAt` and the store's clock. */
  readonly inboxWindowMs: number;
  /** Each key stands here once at most. */
  readonly instances: readonly InstanceWrite[];
  /** An entry whose `seq` is there already takes its place. */
  readonly outboxAdded: readonly OutboxEntry[];
  /** `seq`s that were delivered; unknown ones do no harm. */
  readonly outboxSettled: readonly number[];
  readonly timersArmed: readonly TimerRow[];
  /** Ids of timers to remove; unknown ones do no harm. Here as everywhere, removal comes before adding. */
  readonly timersDisarmed: readonly string[];
  /** An id that is there already keeps its first entry. */
  readonly deadLettersAdded: readonly DeadLetterRow[];
  readonly deadLettersRemoved: readonly string[];
}

/** Of so many claims of a partition a store knows where they began. */
export const claimsKept = 16;

/** Where the commits of a partition stand. */
export interface Head {
  readonly epoch: number;
  /** How many commits the partition has. */
  readonly sequence: number;
  /** Id of the last one; "" when there is none. */
  readonly commitId: string;
  /** `sequence` when the present epoch was claimed; the lowest since, to a claim above or a renewal of an earlier epoch. */
  readonly base: number;
}

/** What the store says to a commit; every refusal leaves all as it was. */
export type CommitAnswer =
  /** Written. `now` is the store's clock; `sequence` counts the partition's commits. */
  | { readonly kind: "committed"; readonly now: number; readonly sequence: number }
  /** The epoch is not the partition's present one: this owner has been replaced. */
  | (Head & { readonly kind: "fenced" })
  /** The partition's last commit is another one than `follows`: the store went back, or somebody else has written. */
  | (Head & { readonly kind: "diverged" })
  /** These keys have another version than expected. */
  | { readonly kind: "conflict"; readonly keys: readonly string[] }
  /** These messages were handled before, or stand twice in this commit. */
  | { readonly kind: "duplicate"; readonly messages: readonly HandledMessage[] }
  /** These messages are older than the inbox window. */
  | { readonly kind: "too-old"; readonly messages: readonly HandledMessage[] };

export interface HandledMessage {
  readonly key: string;
  readonly id: string;
}
