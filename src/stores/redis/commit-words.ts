import type { Commit, CommitAnswer, HandledMessage, Head, InstanceWrite } from "../../commit.ts";
import { unexpectedReply } from "./replies.ts";

/** The arguments of `commit.lua`. */
export function commitArguments(commit: Commit): readonly (string | number)[] {
  const { outboxAdded, outboxSettled } = commit;
  const seqsAdded = outboxAdded.map(({ seq }) => seq);
  const args: (string | number)[] = [commit.epoch, commit.commitId, commit.inboxWindowMs];
  args.push(seqsAdded.reduce((highest, seq) => Math.max(highest, seq), 0));
  args.push(commit.follows ?? "*");
  args.push(commit.instances.length);
  for (const write of commit.instances) pushInstance(args, write);
  // An entry that is added under a seq that is there replaces it.
  const runs = runsOf([...outboxSettled, ...seqsAdded]);
  args.push(runs.length);
  for (const [lowest, highest] of runs) args.push(lowest, highest);
  args.push(outboxAdded.length);
  for (const { seq, entry } of outboxAdded) args.push(seq, outboxMember(seq, entry));
  pushList(args, commit.timersDisarmed);
  args.push(commit.timersArmed.length);
  for (const { id, due } of commit.timersArmed) args.push(due, id);
  pushList(args, commit.deadLettersRemoved);
  args.push(commit.deadLettersAdded.length);
  for (const { id, entry } of commit.deadLettersAdded) args.push(id, entry);
  return args;
}

function pushInstance(args: (string | number)[], write: InstanceWrite): void {
  const { key, expectedVersion, version, record, inbox } = write;
  args.push(key, expectedVersion, version, record === undefined ? 0 : 1, record ?? "");
  args.push(inbox.length);
  for (const { id, bornAt } of inbox) args.push(id, bornAt ?? "");
  pushList(args, write.inboxForget);
  pushList(args, write.termsAdded);
  pushList(args, write.termsRemoved);
  pushList(args, write.history);
}

function pushList(args: (string | number)[], list: readonly string[]): void {
  args.push(list.length);
  for (const item of list) args.push(item);
}

/** Whether a commit only takes away, which must go on when memory is short: it is what makes room. */
export function addsNothing(commit: Commit): boolean {
  const { instances, outboxAdded, timersArmed, deadLettersAdded } = commit;
  const added = outboxAdded.length + timersArmed.length + deadLettersAdded.length;
  return added === 0 && instances.every(({ record, history }) => !record && history.length === 0);
}

/** Members of the outbox begin with their seq, so that equal entries stay apart. */
function outboxMember(seq: number, entry: string): string {
  return `${seq} ${entry}`;
}

/** The entry in a member of the outbox. */
export function outboxEntry(member: string): string {
  return member.slice(member.indexOf(" ") + 1);
}

/** Runs of consecutive numbers, lowest and highest of each: what is delivered in order goes in one removal. */
function runsOf(seqs: readonly number[]): readonly (readonly [number, number])[] {
  const runs: [number, number][] = [];
  for (const seq of seqs.toSorted((one, other) => one - other)) {
    const last = runs.at(-1);
    if (last !== undefined && seq <= last[1] + 1) last[1] = seq;
    else runs.push([seq, seq]);
  }
  return runs;
}

/** What `commit.lua` said. */
export function commitAnswer(reply: unknown): CommitAnswer {
  const [kind, ...rest] = reply as readonly string[];
  if (kind === "committed") return { kind, now: Number(rest[0]), sequence: Number(rest[1]) };
  if (kind === "fenced" || kind === "diverged") return { kind, ...headIn(rest) };
  if (kind === "conflict") return { kind, keys: rest };
  if (kind === "duplicate" || kind === "too-old") return { kind, messages: messagesOf(rest) };
  throw unexpectedReply("commit", reply);
}

/** A partition's head as the scripts give it. */
export function headIn([epoch, sequence, commitId = "", base]: readonly string[]): Head {
  return { epoch: Number(epoch), sequence: Number(sequence), commitId, base: Number(base) };
}

function messagesOf(flat: readonly string[]): readonly HandledMessage[] {
  return Array.from({ length: flat.length / 2 }, (_, index) => ({
    key: flat[index * 2] ?? "",
    id: flat[index * 2 + 1] ?? "",
  }));
}
