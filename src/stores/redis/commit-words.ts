import type { Commit, CommitAnswer, HandledMessage, Head, InstanceWrite } from "../../commit.ts";
import { rowsIn, unexpectedReply } from "./replies.ts";

type Argument = string | number;

/**
 * The arguments of `commit.lua`.
 * @throws RangeError for a `seq` or a due time that is not a number: the script would fail when half is written.
 */
export function commitArguments(commit: Commit): readonly Argument[] {
  const { outboxAdded, outboxSettled } = commit;
  const seqsAdded = outboxAdded.map(({ seq }) => seq);
  const args: Argument[] = [commit.epoch, commit.commitId, commit.inboxWindowMs];
  args.push(seqsAdded.reduce((highest, seq) => Math.max(highest, seq), 0));
  args.push(commit.follows ?? "*", earliestBirth(commit));
  args.push(commit.instances.length);
  for (const write of commit.instances) pushInstance(args, write);
  pushIndexes(args, commit.instances);
  // An entry that is added under a seq that is there replaces it.
  const runs = runsOf([...outboxSettled, ...seqsAdded]);
  args.push(runs.length);
  for (const [lowest, highest] of runs) args.push(numberOf(lowest), numberOf(highest));
  args.push(outboxAdded.length);
  for (const { seq, entry } of outboxAdded) args.push(numberOf(seq), outboxMember(seq, entry));
  pushList(args, commit.timersDisarmed);
  args.push(commit.timersArmed.length);
  for (const { id, due } of commit.timersArmed) args.push(numberOf(due), id);
  pushList(args, commit.deadLettersRemoved);
  args.push(commit.deadLettersAdded.length);
  for (const { id, entry } of commit.deadLettersAdded) args.push(id, entry);
  return args;
}

function pushInstance(args: Argument[], write: InstanceWrite): void {
  const { key, expectedVersion, record, inbox, inboxForget, termsRemoved, history } = write;
  const termsAdded = once(write.termsAdded);
  args.push(key, expectedVersion, record === undefined ? "" : write.version, record ?? "");
  // Of one digit each, they need no spaces and are the quicker to read.
  const most = Math.max(inbox.length, inboxForget.length, termsAdded.length, termsRemoved.length);
  const gap = Math.max(most, history.length) < 10 ? "" : " ";
  const messages = `${inbox.length}${gap}${inboxForget.length}`;
  const terms = `${termsAdded.length}${gap}${termsRemoved.length}`;
  args.push(`${messages}${gap}${terms}${gap}${history.length}`);
  for (const { id } of inbox) args.push(`\n${oneWord(id)} `);
  for (const id of inboxForget) args.push(`\n${oneWord(id)} `);
  for (const term of termsAdded) args.push(`\n${oneWord(term)}`);
  for (const term of termsRemoved) args.push(`\n${oneWord(term)}`);
  for (const entry of history) args.push(entry);
}

function once(terms: readonly string[]): readonly string[] {
  return terms.length > 1 ? [...new Set(terms)] : terms;
}

interface IndexChange {
  readonly name: string;
  readonly removed: string[];
  /** Which of the instances (the first is 1), and its id. */
  readonly added: Argument[];
}

/** What changes in the indexes of one workflow: that of all its instances, and one for each term. */
class WorkflowIndexes {
  readonly #workflow: string;
  readonly #byTerm = new Map<string, IndexChange>();
  readonly all: IndexChange;

  constructor(workflow: string) {
    this.#workflow = workflow;
    this.all = { name: `w:${workflow}`, removed: [], added: [] };
  }

  of(term: string): IndexChange {
    const known = this.#byTerm.get(term);
    if (known !== undefined) return known;
    const name = `t:${this.#workflow}/${oneWord(term)}`;
    const change = { name, removed: [], added: [] };
    this.#byTerm.set(term, change);
    return change;
  }

  get changes(): readonly IndexChange[] {
    return [this.all, ...this.#byTerm.values()];
  }
}

/** Instances of a batch often share their terms: one change of each index, not one of each instance. */
function pushIndexes(args: Argument[], writes: readonly InstanceWrite[]): void {
  const workflows = new Map<string, WorkflowIndexes>();
  let number = 0;
  for (const { key, expectedVersion, record, termsAdded, termsRemoved } of writes) {
    number += 1;
    const slash = key.indexOf("/");
    const workflow = key.slice(0, slash);
    const id = key.slice(slash + 1);
    const indexes = workflows.get(workflow) ?? new WorkflowIndexes(workflow);
    workflows.set(workflow, indexes);
    if (record === undefined) {
      // Its terms are known to the store alone.
      if (expectedVersion > 0) indexes.all.removed.push(id);
      continue;
    }
    if (expectedVersion === 0) indexes.all.added.push(number, id);
    for (const term of termsRemoved) indexes.of(term).removed.push(id);
    for (const term of termsAdded) indexes.of(term).added.push(number, id);
  }
  const changes = [...workflows.values()].flatMap((indexes) => indexes.changes);
  args.push(changes.length);
  for (const { name, removed, added } of changes) {
    args.push(name, removed.length, added.length / 2);
    for (const id of removed) args.push(id);
    for (const argument of added) args.push(argument);
  }
}

function pushList(args: Argument[], list: readonly string[]): void {
  args.push(list.length);
  for (const item of list) args.push(item);
}

function numberOf(value: number): number {
  if (Number.isNaN(value)) throw new RangeError("NaN is no place in an order.");
  return value;
}

/** When the oldest message was first accepted, as far as that is known. */
function earliestBirth({ instances }: Commit): number | "" {
  let earliest = Number.POSITIVE_INFINITY;
  for (const { inbox } of instances) {
    for (const { bornAt = earliest } of inbox) earliest = Math.min(earliest, bornAt);
  }
  return earliest === Number.POSITIVE_INFINITY ? "" : earliest;
}

/** A text without spaces and line feeds, which the store puts between texts. */
export function oneWord(text: string): string {
  if (!/[ \n\\]/.test(text)) return text;
  return text.replaceAll("\\", "\\\\").replaceAll(" ", "\\s").replaceAll("\n", "\\n");
}

/** The text that `oneWord` made a word of. */
export function textOfWord(word: string): string {
  if (!word.includes("\\")) return word;
  return word.replace(/\\(.)/g, (_, letter: string) => ({ s: " ", n: "\n" })[letter] ?? letter);
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

/** What `commit.lua` said to a commit. */
export function commitAnswer(commit: Commit, reply: unknown): CommitAnswer {
  const [kind, ...rest] = reply as readonly string[];
  if (kind === "committed") return { kind, now: Number(rest[0]), sequence: Number(rest[1]) };
  if (kind === "fenced" || kind === "diverged") return { kind, ...headIn(rest) };
  if (kind === "conflict") return { kind, keys: rest };
  if (kind === "duplicate") return { kind, messages: messagesOf(rest) };
  if (kind === "too-old") return { kind, messages: bornBefore(commit, Number(rest[0])) };
  throw unexpectedReply("commit", reply);
}

/** A partition's head as the scripts give it. */
export function headIn([epoch, sequence, commitId = "", base]: readonly string[]): Head {
  return { epoch: Number(epoch), sequence: Number(sequence), commitId, base: Number(base) };
}

function messagesOf(flat: readonly string[]): readonly HandledMessage[] {
  return rowsIn(flat, 2).map(([key = "", id = ""]) => ({ key, id: textOfWord(id.slice(1, -1)) }));
}

function bornBefore({ instances }: Commit, oldest: number): readonly HandledMessage[] {
  return instances.flatMap(({ key, inbox }) =>
    inbox.filter(({ bornAt = oldest }) => bornAt < oldest).map(({ id }) => ({ key, id })),
  );
}
