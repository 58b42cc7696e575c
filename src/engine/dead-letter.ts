import type { Headers } from "../message.ts";
import type { DeadLetterReason } from "../observer.ts";
import { jsonDigest } from "./instance.ts";

/** A message set aside, as its row in the store holds it. */
export interface LetterEntry {
  /** Unique among all partitions, and fit for a URL. */
  readonly id: string;
  readonly messageId?: string;
  /** The instance that it was for, if anything said so. */
  readonly key?: string;
  readonly type?: string;
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly body: string;
  readonly trace?: Headers;
  /** It is the engine's own: sent again, it may carry a reserved type. */
  readonly isInternal?: true;
}

const letterPattern = /^(\d{1,6})-[\w-]{22}$/;
const redrivePattern = /^redrive:(\d{1,6}-[\w-]{22}):(\d{1,9})$/;

/** The id of a dead letter: the same for the same message to the same instance, another for any other. */
export function letterId(
  partition: number,
  letter: { readonly key: string; readonly messageId: string },
): string {
  return `${partition}-${jsonDigest([letter.key, letter.messageId])}`;
}

/** The partition that keeps a dead letter, or undefined for text that is no such id. */
export function partitionOfLetter(id: string): number | undefined {
  const [, partition] = letterPattern.exec(id) ?? [];
  return partition === undefined ? undefined : Number(partition);
}

/** How often a message was sent again by operators before it became this dead letter. */
export function redrivesOf({ messageId }: Pick<LetterEntry, "messageId">): number {
  return Number(redrivePattern.exec(messageId ?? "")?.[2] ?? 0);
}

/** The id under which a dead letter is sent again: another one each time, since inboxes know the old ones. */
export function nextRedriveId(letter: Pick<LetterEntry, "id" | "messageId">): string {
  const first = redrivePattern.exec(letter.messageId ?? "")?.[1] ?? letter.id;
  return `redrive:${first}:${redrivesOf(letter) + 1}`;
}
