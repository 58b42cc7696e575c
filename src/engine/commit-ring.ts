import type { Commit, Head } from "../commit.ts";

/** A commit that the store has taken, and as which one of its partition. */
export interface TakenCommit {
  readonly commit: Commit;
  readonly sequence: number;
}

interface Kept extends TakenCommit {
  readonly at: number;
  readonly bytes: number;
}

/**
 * How long commits are kept. What a store loses is young: a second with Redis' `everysec`; where replicas lag,
 * what came until the failover, which may take half a minute.
 */
const keptMs = 60_000;
/** Of all partitions of a process: some seconds of the highest load, a minute of an ordinary one. */
const keptBytes = 64 * 1_048_576;

/**
 * What this process knows of the commits of one partition, and the last of those that it made: by this it notices
 * that a store has lost some of them, and can write them again. It outlives ownership.
 */
export class CommitRing {
  readonly #limitBytes: number;
  #epoch = 0;
  /** The epoch is this process's own, and nobody else has written in it. */
  #isOwn = true;
  #sequence = 0;
  #commitId = "";
  /** Sent and not answered yet. */
  #pending: Commit | undefined;
  #kept: Kept[] = [];
  #bytes = 0;

  constructor(partitions: number) {
    this.#limitBytes = keptBytes / partitions;
  }

  /** The highest epoch that this process has had; 0 when none. */
  get epoch(): number {
    return this.#epoch;
  }

  /** How many commits the partition had when this process last knew. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The id of the last of them; "" when there was none. */
  get commitId(): string {
    return this.#commitId;
  }

  /** A claim was answered; what it found is not compared yet. */
  claimed(epoch: number): void {
    this.#epoch = epoch;
    this.#isOwn = true;
  }

  /** Another process has this epoch, and goes on from here without telling. */
  passedTo(epoch: number): void {
    this.#epoch = epoch;
    this.#isOwn = false;
  }

  /** This process goes on from there. */
  begin({ sequence, commitId }: Pick<Head, "sequence" | "commitId">): void {
    this.#sequence = sequence;
    this.#commitId = commitId;
    this.#pending = undefined;
  }

  /** The commit as one that builds on the last one; it is about to be sent. */
  follow(commit: Commit): Commit {
    const next = { ...commit, follows: this.#commitId };
    if (commit.epoch === this.#epoch) this.#pending = next;
    return next;
  }

  /** The store has taken it; `at` is in monotonic milliseconds. */
  committed({ commit, sequence }: TakenCommit, at: number): void {
    if (commit.epoch !== this.#epoch || sequence <= this.#sequence) return;
    const bytes = sizeOf(commit);
    this.#kept.push({ commit, sequence, at, bytes });
    this.#bytes += bytes;
    this.begin({ sequence, commitId: commit.commitId });
    this.#trim(at);
  }

  /** What of this process's knowledge the store does not bear out; undefined when there is nothing. */
  contradiction(head: Head): string | undefined {
    if (this.#epoch === 0) return undefined;
    const lost = `the store has lost commits: it was at ${this.#sequence}`;
    if (head.epoch > this.#epoch) {
      return head.base < this.#sequence ? `${lost}, and was claimed at ${head.base}` : undefined;
    }
    if (!this.#isOwn && head.epoch === this.#epoch) {
      return head.sequence < this.#sequence ? `${lost}, and is at ${head.sequence}` : undefined;
    }
    const isKnown = head.commitId === this.#commitId || head.commitId === this.#pending?.commitId;
    return isKnown && head.epoch === this.#epoch
      ? undefined
      : `${lost}, and is at ${head.sequence}`;
  }

  /** The commits after that head, in order; undefined when they are not known, or when others have written since. */
  after({ commitId }: Pick<Head, "commitId">): readonly Commit[] | undefined {
    if (commitId === this.#commitId) return [];
    const first = this.#kept.findIndex(({ commit }) => commit.follows === commitId);
    return first < 0 ? undefined : this.#kept.slice(first).map(({ commit }) => commit);
  }

  /** How many commits the partition had when it went another way than this process knows. */
  partedAt(head: Head): number {
    const oldest = this.#kept[0]?.sequence ?? Infinity;
    const isOthers = this.after(head) === undefined && head.sequence >= oldest - 1;
    return Math.min(this.#sequence, isOthers ? head.base : head.sequence);
  }

  /** What came after that head is history: these commits are in its place. */
  rewrite(head: Head, taken: readonly TakenCommit[], at: number): void {
    const first = this.#kept.findIndex(({ commit }) => commit.follows === head.commitId);
    const isLast = head.commitId === this.#commitId;
    if (!isLast)
      for (const { bytes } of this.#kept.splice(Math.max(0, first))) this.#bytes -= bytes;
    this.begin(head);
    for (const one of taken) this.committed(one, at);
  }

  #trim(now: number): void {
    let count = 0;
    for (const { at, bytes } of this.#kept) {
      if (at > now - keptMs && this.#bytes <= this.#limitBytes) break;
      this.#bytes -= bytes;
      count += 1;
    }
    if (count > 0) this.#kept.splice(0, count);
  }
}

/** About what a commit takes in memory: its texts are all that grows. */
function sizeOf({ instances, outboxAdded, deadLettersAdded }: Commit): number {
  let size = 500;
  for (const { record = "", history, inbox } of instances) {
    size += 200 + record.length + inbox.length * 60;
    for (const entry of history) size += entry.length;
  }
  for (const { entry } of outboxAdded) size += entry.length;
  for (const { entry } of deadLettersAdded) size += entry.length;
  return size;
}
