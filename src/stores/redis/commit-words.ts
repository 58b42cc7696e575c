import type { Commit, CommitAnswer, HandledMessage, Head } from "../../commit.ts";
import { rowsIn, unexpectedReply } from "./replies.ts";

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

/** The entry in a member of the outbox. */
export function outboxEntry(member: string): string {
  return member.slice(member.indexOf(" ") + 1);
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
