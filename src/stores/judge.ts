import type { Commit, CommitAnswer, HandledMessage, Head, InstanceWrite } from "../commit.ts";

/** What a store must look up to judge a commit. */
export interface Evidence {
  /** The store's clock, in milliseconds. */
  readonly now: number;
  readonly head: Head;
  /** The first answer to the partition's last commit, if it has any. */
  readonly lastAnswer: CommitAnswer | undefined;
  /** The version of an instance; 0 when there is none. */
  version(key: string): number;
  /** True when the instance has handled this message. */
  remembers(key: string, messageId: string): boolean;
}

/** The answer to a commit that must not be written, or undefined when nothing stands against it. */
export function judge(commit: Commit, evidence: Evidence): CommitAnswer | undefined {
  const { head, lastAnswer } = evidence;
  if (lastAnswer !== undefined && head.commitId === commit.commitId) return lastAnswer;
  if (head.epoch !== commit.epoch) return { kind: "fenced", ...head };
  if ((commit.follows ?? head.commitId) !== head.commitId) return { kind: "diverged", ...head };
  const keys = commit.instances
    .filter((write) => evidence.version(write.key) !== write.expectedVersion)
    .map((write) => write.key);
  if (keys.length > 0) return { kind: "conflict", keys };
  const duplicates = handledBefore(commit.instances, evidence);
  if (duplicates.length > 0) return { kind: "duplicate", messages: duplicates };
  const outdated = bornBefore(commit.instances, evidence.now - commit.inboxWindowMs);
  return outdated.length > 0 ? { kind: "too-old", messages: outdated } : undefined;
}

function handledBefore(writes: readonly InstanceWrite[], evidence: Evidence): HandledMessage[] {
  const seen = new Map<string, boolean>();
  const handled: HandledMessage[] = [];
  for (const { key, inbox } of writes) {
    for (const { id } of inbox) {
      const name = `${key}\n${id}`;
      const listed = seen.get(name);
      const known = listed === undefined ? evidence.remembers(key, id) : true;
      if (known && listed !== true) handled.push({ key, id });
      seen.set(name, known);
    }
  }
  return handled;
}

function bornBefore(writes: readonly InstanceWrite[], oldest: number): HandledMessage[] {
  return writes.flatMap(({ key, inbox }) =>
    inbox
      .filter(({ bornAt }) => bornAt !== undefined && bornAt < oldest)
      .map(({ id }) => ({ key, id })),
  );
}
