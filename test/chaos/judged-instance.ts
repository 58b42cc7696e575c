import type { AnyEventObject } from "xstate";
import type { StoredInstance } from "../../src/commit.ts";
import type { Store } from "../../src/store.ts";
import { canonical } from "../support/canonical.ts";
import { orderProblems, type RecordView } from "../support/instance-checks.ts";
import type { Firing, HistoryEntry, Replayer } from "../support/replay.ts";
import type { Arrived } from "./plain-amqp.ts";

/** An instance with all that the store has of it. */
export interface Judged {
  readonly key: string;
  readonly version: number;
  readonly record: RecordView;
  readonly history: readonly HistoryEntry[];
  readonly numbers: readonly number[];
}

/** What came under each effect's id. */
type Effects = ReadonlyMap<string, Arrived>;

/** A lost wake-up is made good once a second; the rest is for a machine that is busy with other things. */
const latestMs = 10_000;
/** How long after the faults the system may take to find its feet. */
const recoveryMs = 20_000;
const pageSize = 1_000;

export async function readInstance(
  store: Pick<Store, "history">,
  partition: number,
  { key, version, record }: StoredInstance,
): Promise<Judged> {
  const rows: { readonly number: number; readonly entry: string }[] = [];
  for (;;) {
    const page = await store.history(partition, key, rows.at(-1)?.number ?? 0, pageSize);
    rows.push(...page);
    if (page.length < pageSize) break;
  }
  return {
    key,
    version,
    record: JSON.parse(record) as RecordView,
    history: rows.map(({ entry }) => JSON.parse(entry) as HistoryEntry),
    numbers: rows.map(({ number }) => number),
  };
}

/** What does not hold of an instance, its history and its effects. */
export function instanceProblems(
  judged: Judged,
  replayer: Replayer,
  effects: Effects,
  { calmSince = Infinity }: { readonly calmSince?: number },
): readonly string[] {
  const { key, history, record } = judged;
  // Only kept for an instance that nobody has started; whether that may be is asked elsewhere.
  if (record.actor === undefined) return [];
  const { problems, emits, firings } = replayer.replay(key, history, record.actor);
  return [
    ...problems,
    ...versionProblems(judged),
    ...orderProblems(key, history),
    ...effectProblems(key, emits, effects),
    ...firings.flatMap((firing) => punctuality(firing, calmSince + recoveryMs)),
  ];
}

function versionProblems({ key, version, history, numbers }: Judged): readonly string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [index, entry] of history.entries()) {
    // What was kept for it before its start has counted already.
    const last = history[index - 1]?.version ?? entry.version - 1;
    if (entry.version !== last + 1) {
      problems.push(`${key}: version ${entry.version} follows ${last} in the history`);
    }
    if (numbers[index] !== index + 1) {
      problems.push(`${key}: entry ${index + 1} of the history has the number ${numbers[index]}`);
    }
    const { messageId } = entry;
    if (messageId === undefined) continue;
    if (seen.has(messageId)) problems.push(`${key}: ${messageId} was applied twice`);
    seen.add(messageId);
  }
  const last = history.at(-1)?.version ?? 0;
  if (last === version) return problems;
  return [...problems, `${key}: version ${version} is stored, but the history ends at ${last}`];
}

/** What each version emitted is what came, each under one id with one content, and not before what came earlier. */
function effectProblems(
  key: string,
  emits: ReadonlyMap<number, readonly AnyEventObject[]>,
  effects: Effects,
): readonly string[] {
  const problems: string[] = [];
  const came = new Map<number, string[]>();
  let last = 0;
  for (const [id, { bodies }] of effects) {
    const version = Number(id.split("/").at(-2));
    if (version < last) problems.push(`effect ${id} came after those of version ${last}`);
    last = Math.max(last, version);
    if (bodies.size > 1) problems.push(`effect ${id} came with different contents`);
    came.set(version, [...(came.get(version) ?? []), normal(JSON.parse([...bodies][0] ?? "null"))]);
  }
  for (const version of new Set([...emits.keys(), ...came.keys()])) {
    const wanted = (emits.get(version) ?? []).map((event) => normal({ ...event, type: undefined }));
    const got = came.get(version) ?? [];
    if (wanted.toSorted().join("\n") === got.toSorted().join("\n")) continue;
    problems.push(
      `${key}: version ${version} emitted ${wanted.join()}, delivered was ${got.join()}`,
    );
  }
  return problems;
}

function normal(payload: unknown): string {
  return canonical(JSON.parse(JSON.stringify(payload)));
}

function punctuality({ id, due, at }: Firing, punctualFrom: number): readonly string[] {
  if (at < due) return [`${id} fired ${due - at} ms early`];
  if (due < punctualFrom || at - due <= latestMs) return [];
  return [`${id} fired ${at - due} ms late, long after the last fault`];
}
