import { letterId } from "../../src/engine/dead-letter.ts";
import type { ActorRecord } from "../../src/engine/statechart/actor.ts";
import type { Origin } from "../../src/engine/step.ts";
import { parseTimerId, retentionTimer } from "../../src/engine/timer-id.ts";
import { partitionOf } from "../../src/routing.ts";
import type { HistoryEntry } from "./replay.ts";

/** The parts of an instance's record that the checks look at. */
export interface RecordView {
  /** The version of the workflow that it runs on. */
  readonly definition: string;
  readonly actor?: ActorRecord;
  readonly failure?: unknown;
  readonly deferred?: readonly { readonly messageId?: string }[];
  readonly held?: readonly {
    readonly type: string;
    readonly messageId?: string;
    readonly origin?: Origin;
  }[];
}

/** A message that the system has promised to handle. */
export interface Accepted {
  readonly key: string;
  readonly id: string;
  readonly type: string;
}

/** An instance that has ended, and keeps nothing back. */
export function isFinal({ actor, held }: RecordView): boolean {
  return actor !== undefined && actor.status !== "active" && (held ?? []).length === 0;
}

/** Whether a timer only waits for the removal of an instance that has ended. */
export function isRetention(id: string): boolean {
  return parseTimerId(id)?.name === retentionTimer;
}

/** Events that a sender has numbered, and that were applied in another order, though no operator has sent them again. */
export function orderProblems(key: string, history: readonly HistoryEntry[]): readonly string[] {
  const last = new Map<string, number>();
  const problems: string[] = [];
  for (const { payload, messageId } of history) {
    if (messageId?.startsWith("redrive:") === true) continue;
    const { sender, number } = (payload ?? {}) as { sender?: string; number?: number };
    if (sender === undefined || number === undefined) continue;
    const before = last.get(sender) ?? 0;
    if (number < before) problems.push(`${key}: ${sender}${number} was applied after ${before}`);
    last.set(sender, number);
  }
  return problems;
}

/** Whether an id is that of a message, or one under which operators have sent it again. */
export function isNameOf(
  { key, id }: Pick<Accepted, "key" | "id">,
  name: string | undefined,
  partitions: number,
): boolean {
  const letter = letterId(partitionOf(key, partitions), { key, messageId: id });
  return name === id || name?.startsWith(`redrive:${letter}:`) === true;
}
