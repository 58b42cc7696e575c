import type { Commit, InstanceWrite, OutboxEntry } from "../../commit.ts";
import { oneWord } from "./commit-words.ts";
import { IndexChanges } from "./index-changes.ts";
import { WireText } from "./wire-text.ts";

/**
 * The arguments of `commit.lua`.
 * @throws RangeError for a `seq` or a due time that is not a number: the script would fail when half is written.
 */
export function commitArguments(commit: Commit): WireText {
  const args = new WireText();
  const { instances, timersArmed, deadLettersAdded } = commit;
  const outboxAdded = inOrder(commit.outboxAdded, bySeq);
  args.addNumber(commit.epoch);
  args.add(commit.commitId);
  args.addNumber(commit.inboxWindowMs);
  args.addNumber(Math.max(0, outboxAdded.at(-1)?.seq ?? 0));
  args.add(commit.follows ?? "*");
  args.add(earliestBirth(commit));
  args.addNumber(instances.length);
  const indexes = new IndexChanges();
  for (const write of instances) addInstance(args, indexes, write);
  indexes.addTo(args);
  addRuns(args, inOrder(commit.outboxSettled, byValue));
  args.addNumber(outboxAdded.length);
  for (const { seq, entry } of outboxAdded) {
    args.addNumber(placeOf(seq));
    // Members of the outbox begin with their seq, so that equal entries stay apart.
    args.addBehind(`${seq} `, entry);
  }
  addList(args, commit.timersDisarmed);
  args.addNumber(timersArmed.length);
  for (const { id, due } of timersArmed) {
    args.addNumber(placeOf(due));
    args.add(id);
  }
  addList(args, commit.deadLettersRemoved);
  args.addNumber(deadLettersAdded.length);
  for (const { id, entry } of deadLettersAdded) {
    args.add(id);
    args.add(entry);
  }
  return args;
}

function addInstance(args: WireText, indexes: IndexChanges, write: InstanceWrite): void {
  const { key, expectedVersion, record, inbox, inboxForget, history } = write;
  const termsAdded = wordsOf(write.termsAdded);
  const termsRemoved = wordsOf(write.termsRemoved);
  args.add(key);
  args.addNumber(expectedVersion);
  if (record === undefined) args.add("");
  else args.addNumber(write.version);
  args.add(record ?? "");
  // Of one digit each, they need no spaces and are the quicker to read.
  const most = Math.max(inbox.length, inboxForget.length, termsAdded.length, termsRemoved.length);
  const gap = Math.max(most, history.length) < 10 ? "" : " ";
  const messages = `${inbox.length}${gap}${inboxForget.length}`;
  const terms = `${termsAdded.length}${gap}${termsRemoved.length}`;
  args.add(`${messages}${gap}${terms}${gap}${history.length}`);
  for (const { id } of inbox) args.add(`\n${oneWord(id)} `);
  for (const id of inboxForget) args.add(`\n${oneWord(id)} `);
  for (const term of termsAdded) args.addBehind("\n", term);
  for (const term of termsRemoved) args.addBehind("\n", term);
  for (const entry of history) args.add(entry);
  indexes.note(write, termsAdded, termsRemoved);
}

/** Each term once. */
function wordsOf(terms: readonly string[]): readonly string[] {
  if (terms.length === 0) return terms;
  const words = terms.map(oneWord);
  return words.length > 1 ? [...new Set(words)] : words;
}

function addList(args: WireText, list: readonly string[]): void {
  args.addNumber(list.length);
  for (const item of list) args.add(item);
}

/** Runs of consecutive numbers, lowest and highest of each: what is delivered in order goes in one removal. */
function addRuns(args: WireText, seqs: readonly number[]): void {
  const runs: [number, number][] = [];
  let last: [number, number] | undefined;
  for (const seq of seqs) {
    if (last !== undefined && seq <= last[1] + 1) last[1] = seq;
    else runs.push((last = [placeOf(seq), placeOf(seq)]));
  }
  args.addNumber(runs.length);
  for (const [lowest, highest] of runs) {
    args.addNumber(lowest);
    args.addNumber(highest);
  }
}

function bySeq(one: OutboxEntry, other: OutboxEntry): number {
  return one.seq - other.seq;
}

function byValue(one: number, other: number): number {
  return one - other;
}

/** They mostly are, and a sorted copy costs more than a look. */
function inOrder<Item>(
  items: readonly Item[],
  compare: (one: Item, other: Item) => number,
): readonly Item[] {
  for (let index = 1; index < items.length; index += 1) {
    const [one, other] = [items[index - 1], items[index]];
    if (one === undefined || other === undefined) continue;
    if (!(compare(one, other) <= 0)) return items.toSorted(compare);
  }
  return items;
}

function placeOf(value: number): number {
  if (Number.isNaN(value)) throw new RangeError("NaN is no place in an order.");
  return value;
}

/** When the oldest message was first accepted, as far as that is known. */
function earliestBirth({ instances }: Commit): string {
  let earliest = Number.POSITIVE_INFINITY;
  for (const { inbox } of instances) {
    for (const { bornAt = earliest } of inbox) earliest = Math.min(earliest, bornAt);
  }
  return earliest === Number.POSITIVE_INFINITY ? "" : String(earliest);
}
