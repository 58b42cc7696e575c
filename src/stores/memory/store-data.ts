import type { Commit, CommitAnswer, Head, InstanceWrite, StoredInstance } from "../../commit.ts";
import type { Member } from "../../member.ts";

/** An instance with all that is forgotten together with it. */
export interface InstanceRow {
  readonly stored: StoredInstance;
  /** Message id → when it was accepted. */
  readonly inbox: ReadonlyMap<string, number>;
  readonly terms: ReadonlySet<string>;
}

/** Everything that belongs to one partition. */
export interface PartitionData {
  epoch: number;
  owner: string | undefined;
  leaseUntil: number;
  sequence: number;
  base: number;
  /** The last claims, oldest first. */
  claims: readonly { readonly epoch: number; readonly sequence: number }[];
  lastSeq: number;
  lastCommit: { readonly commitId: string; readonly answer: CommitAnswer } | undefined;
  readonly instances: Map<string, InstanceRow>;
  readonly histories: Map<string, string[]>;
  readonly outbox: Map<number, string>;
  readonly timers: Map<string, number>;
  readonly deadLetters: Map<string, { readonly entry: string; readonly at: number }>;
}

/** What several stores, each standing for a process, share. */
export interface MemoryStoreData {
  partitions: readonly PartitionData[];
  members: Map<string, { readonly member: Member; readonly until: number }>;
}

/** Data without any partitions yet: the first store that opens it fixes their number. */
export function emptyStoreData(): MemoryStoreData {
  return { partitions: [], members: new Map() };
}

export function emptyPartition(): PartitionData {
  return {
    epoch: 0,
    owner: undefined,
    leaseUntil: 0,
    sequence: 0,
    base: 0,
    claims: [],
    lastSeq: 0,
    lastCommit: undefined,
    instances: new Map(),
    histories: new Map(),
    outbox: new Map(),
    timers: new Map(),
    deadLetters: new Map(),
  };
}

export function headOf({ epoch, sequence, base, lastCommit }: PartitionData): Head {
  return { epoch, sequence, commitId: lastCommit?.commitId ?? "", base };
}

/** The head as it is told to whoever names that epoch; 0 is none. */
export function headSince(data: PartitionData, epoch: number): Head {
  const later = data.claims.filter((claim) => epoch > 0 && claim.epoch > epoch);
  const base = Math.min(data.base, ...later.map(({ sequence }) => sequence));
  return { ...headOf(data), base };
}

/** Writes a commit that was judged good. */
export function writeCommit(data: PartitionData, commit: Commit, now: number): CommitAnswer {
  for (const write of commit.instances) writeInstance(data, write, now);
  for (const seq of commit.outboxSettled) data.outbox.delete(seq);
  for (const { seq, entry } of commit.outboxAdded) {
    data.outbox.set(seq, entry);
    data.lastSeq = Math.max(data.lastSeq, seq);
  }
  for (const id of commit.timersDisarmed) data.timers.delete(id);
  for (const { id, due } of commit.timersArmed) data.timers.set(id, due);
  for (const id of commit.deadLettersRemoved) data.deadLetters.delete(id);
  for (const { id, entry } of commit.deadLettersAdded) {
    if (!data.deadLetters.has(id)) data.deadLetters.set(id, { entry, at: now });
  }
  data.sequence += 1;
  const answer: CommitAnswer = { kind: "committed", now, sequence: data.sequence };
  data.lastCommit = { commitId: commit.commitId, answer };
  return answer;
}

function writeInstance(data: PartitionData, write: InstanceWrite, now: number): void {
  const before = data.instances.get(write.key);
  if (write.record === undefined) {
    data.instances.delete(write.key);
    data.histories.delete(write.key);
    return;
  }
  appendHistory(data, write);
  const inbox = new Map(before?.inbox);
  for (const id of write.inboxForget) inbox.delete(id);
  for (const { id } of write.inbox) inbox.set(id, now);
  const terms = new Set(before?.terms);
  for (const term of write.termsRemoved) terms.delete(term);
  for (const term of write.termsAdded) terms.add(term);
  data.instances.set(write.key, {
    stored: {
      key: write.key,
      version: write.version,
      record: write.record,
      createdAt: before?.stored.createdAt ?? now,
      updatedAt: now,
    },
    inbox,
    terms,
  });
}

function appendHistory(data: PartitionData, { key, history }: InstanceWrite): void {
  if (history.length === 0) return;
  const known = data.histories.get(key);
  if (known) known.push(...history);
  else data.histories.set(key, [...history]);
}
