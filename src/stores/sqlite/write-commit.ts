import type { Commit, CommitAnswer, Head, InstanceWrite } from "../../commit.ts";
import { WaybillError } from "../../errors.ts";
import { numberIn, type Row, type SqliteFile, textIn } from "../../sqlite-file.ts";
import { judge } from "../judge.ts";
import { statements } from "./statements.ts";

interface Before {
  readonly version: number;
  readonly createdAt: number;
}

const none: Before = { version: 0, createdAt: 0 };

/** Judges a commit and writes it, within the transaction of the caller. */
export function writeCommit(file: SqliteFile, commit: Commit, now: number): CommitAnswer {
  const partition = partitionRow(file, commit.partition);
  const head = headOf(partition);
  const { sequence } = head;
  const before = instancesBefore(file, commit);
  const remembers = file.prepare(statements.remembers);
  const refusal = judge(commit, {
    now,
    head,
    lastAnswer: lastAnswer(partition, sequence),
    version: (key) => before.get(key)?.version ?? 0,
    remembers: (key, id) => remembers.get(commit.partition, key, id) !== undefined,
  });
  if (refusal) return refusal;
  for (const write of commit.instances) {
    writeInstance(file, commit.partition, write, before.get(write.key) ?? none, now);
  }
  writeEffects(file, commit, now);
  const lastSeq = commit.outboxAdded.reduce((highest, { seq }) => Math.max(highest, seq), 0);
  const committed = file.prepare(statements.committed);
  committed.run(sequence + 1, lastSeq, commit.commitId, now, commit.partition);
  return { kind: "committed", now, sequence: sequence + 1 };
}

/** The row of a partition in its table. */
export function partitionRow(file: SqliteFile, partition: number): Row {
  const row = file.prepare(statements.head).get(partition);
  if (row !== undefined) return row;
  throw new WaybillError({
    code: "unknown-partition",
    message: `There is no partition ${partition}.`,
    action: "Open the store first, and name a partition below the number it was opened with.",
  });
}

function headOf(partition: Row): Head {
  return {
    epoch: numberIn(partition["epoch"]),
    sequence: numberIn(partition["sequence"]),
    commitId: textIn(partition["commit_id"]),
    base: numberIn(partition["base"]),
  };
}

/** The head as it is told to whoever names that epoch; 0 is none. */
export function headSince(
  file: SqliteFile,
  row: Row,
  { partition, epoch }: { readonly partition: number; readonly epoch: number },
): Head {
  const head = headOf(row);
  const found = epoch > 0 ? file.prepare(statements.baseSince).get(partition, epoch) : undefined;
  const base = found?.["base"] ?? head.base;
  return { ...head, base: Math.min(head.base, numberIn(base)) };
}

function lastAnswer(partition: Row, sequence: number): CommitAnswer | undefined {
  if (sequence === 0) return undefined;
  return { kind: "committed", now: numberIn(partition["committed_at"]), sequence };
}

function instancesBefore(
  file: SqliteFile,
  { partition, instances }: Commit,
): ReadonlyMap<string, Before> {
  const before = new Map<string, Before>();
  const select = file.prepare(statements.version);
  for (const { key } of instances) {
    const row = select.get(partition, key);
    if (!row) continue;
    const version = numberIn(row["version"]);
    before.set(key, { version, createdAt: numberIn(row["created_at"]) });
  }
  return before;
}

function writeInstance(
  file: SqliteFile,
  partition: number,
  write: InstanceWrite,
  before: Before,
  now: number,
): void {
  const { key, record } = write;
  if (record === undefined) {
    file.prepare(statements.removeHistory).run(partition, key);
    file.prepare(statements.removeInstance).run(partition, key);
    file.prepare(statements.forgetAll).run(partition, key);
    file.prepare(statements.removeTerms).run(key, partition);
    return;
  }
  writeHistory(file, partition, write);
  const workflow = key.slice(0, key.indexOf("/"));
  const createdAt = before.version === 0 ? now : before.createdAt;
  const put = file.prepare(statements.putInstance);
  put.run(partition, key, workflow, write.version, record, createdAt, now);
  for (const id of write.inboxForget) file.prepare(statements.forget).run(partition, key, id);
  for (const { id } of write.inbox) file.prepare(statements.remember).run(partition, key, id, now);
  for (const term of write.termsRemoved) {
    file.prepare(statements.removeTerm).run(workflow, term, createdAt, key, partition);
  }
  for (const term of write.termsAdded) {
    file.prepare(statements.addTerm).run(workflow, term, createdAt, key, partition);
  }
}

function writeHistory(file: SqliteFile, partition: number, { key, history }: InstanceWrite): void {
  if (history.length === 0) return;
  const last = file.prepare(statements.lastHistory).get(partition, key);
  let number = last ? numberIn(last["number"]) : 0;
  for (const entry of history) {
    number += 1;
    file.prepare(statements.addHistory).run(partition, key, number, entry);
  }
}

function writeEffects(file: SqliteFile, commit: Commit, now: number): void {
  const { partition } = commit;
  for (const seq of commit.outboxSettled) file.prepare(statements.settleOutbox).run(partition, seq);
  for (const { seq, entry } of commit.outboxAdded) {
    file.prepare(statements.addOutbox).run(partition, seq, entry);
  }
  for (const id of commit.timersDisarmed) file.prepare(statements.disarm).run(partition, id);
  for (const { id, due } of commit.timersArmed) {
    file.prepare(statements.arm).run(partition, id, due);
  }
  for (const id of commit.deadLettersRemoved) {
    file.prepare(statements.removeDeadLetter).run(partition, id);
  }
  for (const { id, entry } of commit.deadLettersAdded) {
    file.prepare(statements.addDeadLetter).run(partition, id, now, entry);
  }
}
