import type { LetterEntry } from "../../src/engine/dead-letter.ts";
import type { PartitionData } from "../../src/stores/memory/store-data.ts";
import {
  type Accepted,
  isFinal,
  isNameOf as isName,
  isRetention,
  orderProblems,
  type RecordView,
} from "../support/instance-checks.ts";
import { type HistoryEntry, Replayer } from "../support/replay.ts";
import type { Recorder } from "./recorder.ts";
import { workflowsOf } from "./workflows.ts";
import type { Workload } from "./workload.ts";
import { partitions as partitionCount, type World } from "./world.ts";

const replayer = new Replayer([...workflowsOf.new, ...workflowsOf.old]);

interface Stored {
  readonly key: string;
  readonly record: RecordView;
  readonly history: readonly HistoryEntry[];
}

/** Timers may be this late: a lost wake-up is made good once a second. */
const latestMs = 2_000;
/** How long after the faults the system may take to find its feet. */
const recoveryMs = 12_000;

/** True once nothing is left to do. */
export function isAtRest({ recorder }: World, { started, isDone }: Workload): boolean {
  if (!isDone) return false;
  const { partitions } = recorder.data;
  if (partitions.some(({ outbox }) => outbox.size > 0)) return false;
  if (partitions.some(({ timers }) => [...timers.keys()].some((id) => !isRetention(id)))) {
    return false;
  }
  const rows = partitions.flatMap(({ instances }) => [...instances.values()]);
  if (!started.every((key) => partitions.some(({ instances }) => instances.has(key)))) return false;
  return rows.every(({ stored }) => isFinal(JSON.parse(stored.record) as RecordView));
}

/** Everything that does not hold of a world at rest; empty when all is well. */
export function judge(world: World, workload: Workload, calmSince: number): readonly string[] {
  const { recorder } = world;
  const stored = new Map(
    recorder.data.partitions.flatMap(instancesOf).map((one) => [one.key, one]),
  );
  const { tail, hosts, faults, isEverySecond } = world;
  if (isEverySecond && !tail.isWhole) {
    faults.count("store tail lost for good");
    const isAlive = (name: string) => [...hosts].some(({ process }) => process.name === name);
    return [...tail.problems(isAlive), ...consistencyProblems(recorder, stored)];
  }
  return [
    ...recorder.violations,
    ...restless(world, workload, stored),
    ...effectProblems(recorder, workload),
    ...[...stored.values()].flatMap((one) => historyProblems(one, recorder)),
    ...accountProblems(recorder, workload, stored),
    ...wrongRefusals(world, workload),
    ...lateTimers(recorder, calmSince + recoveryMs),
  ];
}

/**
 * What holds even where commits are lost for good: each partition went back to one of its own former states and on
 * from there, so a record is still what its history leads to, and its timers are those that are armed. What it had
 * told other partitions, the broker and requesters since is beyond its power.
 */
function consistencyProblems(
  { violations }: Recorder,
  stored: ReadonlyMap<string, Stored>,
): readonly string[] {
  const replays = [...stored.values()].flatMap(({ key, history, record }) =>
    record.actor === undefined
      ? []
      : replayer.replay(key, history, record.actor, record.definition).problems,
  );
  // An effect that was promised again in another life of its version bears the same id.
  return [...violations.filter((what) => !what.startsWith("effect id")), ...replays];
}

function instancesOf(data: PartitionData): readonly Stored[] {
  return [...data.instances.values()].map(({ stored }) => ({
    key: stored.key,
    record: JSON.parse(stored.record) as RecordView,
    history: (data.histories.get(stored.key) ?? []).map((text) => JSON.parse(text) as HistoryEntry),
  }));
}

function restless(
  { recorder }: World,
  { started, isDone }: Workload,
  stored: ReadonlyMap<string, Stored>,
): readonly string[] {
  const problems = isDone ? [] : ["a request or a sender never came to its end"];
  for (const key of started) if (!stored.has(key)) problems.push(`${key} was accepted and is gone`);
  for (const { key, record } of stored.values()) {
    const where = JSON.stringify(record.actor?.value ?? "not started");
    if (!isFinal(record)) problems.push(`${key} is stuck in ${where}`);
    if (where.includes("mistaken")) problems.push(`${key} took a result of an earlier visit`);
    for (const event of record.deferred ?? []) {
      problems.push(`${key} has ended and still holds ${event.messageId}`);
    }
  }
  for (const [number, { outbox, timers }] of recorder.data.partitions.entries()) {
    for (const [seq, entry] of outbox) problems.push(`p${number}: outbox keeps ${seq} ${entry}`);
    for (const [id, due] of timers) {
      if (isRetention(id)) continue;
      problems.push(`p${number}: ${id} is still armed for ${due}`);
    }
  }
  return problems;
}

/** What was emitted by committed transitions is what the sink got, each under one id with one content. */
function effectProblems({ promised }: Recorder, { sink }: Workload): readonly string[] {
  const problems: string[] = [];
  for (const id of promised.keys()) {
    if (!sink.received.has(id)) problems.push(`effect ${id} was never delivered`);
  }
  const last = new Map<string, number>();
  for (const [id, bodies] of sink.received) {
    const { key = "", version = 0 } = promised.get(id) ?? {};
    if (key !== "" && version < (last.get(key) ?? 0))
      problems.push(`effect ${id} came after later ones`);
    last.set(key, version);
    if (!promised.has(id)) problems.push(`effect ${id} was delivered, but no commit promised it`);
    if (bodies.size > 1) problems.push(`effect ${id} came with different contents`);
  }
  return problems;
}

function historyProblems(
  { key, record, history }: Stored,
  { promised, forgotten, aged }: Recorder,
): readonly string[] {
  if (record.actor === undefined) return [];
  const { problems, emits } = replayer.replay(key, history, record.actor, record.definition);
  // Where the memory of what came went with an instance that was not started, a copy may come later; and where a
  // message was too old, a copy of it is young enough when the store's clock has been set back.
  const late = forgotten.get(key) ?? new Set();
  const isLate = (id: string) => late.has(id) || aged.has(`${key} ${id}`);
  const ordered = history.filter(({ messageId = "" }) => !isLate(messageId));
  const found = [...problems, ...orderProblems(key, ordered), ...restlessness(key, history)];
  for (const [version, wanted] of emits) {
    const prefix = `${key}/${version}/`;
    const count = [...promised.keys()].filter((id) => id.startsWith(prefix)).length;
    if (count === wanted.length) continue;
    found.push(`${key}: version ${version} emitted ${wanted.length}, not ${count}`);
  }
  return found;
}

/** Nothing moves an instance between its suspension and the end of that. */
function restlessness(key: string, history: readonly HistoryEntry[]): readonly string[] {
  let isSuspended = false;
  return history.flatMap(({ type, version }) => {
    if (type.startsWith("waybill.")) {
      isSuspended = type === "waybill.suspend";
      return [];
    }
    return isSuspended ? [`${key}: ${type} was applied as ${version} while it was suspended`] : [];
  });
}

/**
 * Whoever is refused may send again under the same id, and a copy that the broker has made cannot be told from
 * that; but what was applied before the last attempt began must be remembered.
 */
function wrongRefusals(
  { recorder, faults, inboxWindowMs }: World,
  { refused }: Workload,
): readonly string[] {
  return refused.flatMap(({ key, id, type, lastTriedAt }) => {
    const at = recorder.appliedAt.get(`${key} ${id}`);
    if (at === undefined) return [];
    faults.count("refused, but a copy was applied");
    if (at >= lastTriedAt || lastTriedAt - at > inboxWindowMs) return [];
    return [`${type} ${id} for ${key} was refused ${lastTriedAt - at} ms after it was applied`];
  });
}

/** Every accepted message is in a history, was ignored as its type says, or lies where an operator sees it. */
function accountProblems(
  { data, remembered }: Recorder,
  { accepted, operators }: Workload,
  stored: ReadonlyMap<string, Stored>,
): readonly string[] {
  const letters = lettersIn(data.partitions);
  const problems: string[] = [];
  for (const message of accepted) {
    const { key, id, type } = message;
    const ids = [...(remembered.get(key) ?? [])];
    const wasIgnored =
      /^(parcel.scanned|ledger.entry)$/.test(type) && ids.some((one) => isNameOf(message, one));
    const parked = letters.filter(({ messageId }) => isNameOf(message, messageId));
    const isDropped = [...operators.dropped].some((one) => isNameOf(message, one));
    const isStart = type === "parcel.posted" && stored.has(key);
    const isSettled = wasIgnored || isStart || isDropped;
    if (!wasApplied(message, stored) && parked.length === 0 && !isSettled) {
      problems.push(`${type} ${id} for ${key} was accepted and lost`);
    }
    // A copy that is older than the memory of the inboxes is set aside, whatever became of the message; and with
    // an instance that was never started goes the memory of what came for it.
    const isTwice = parked.some(({ reason }) => !/^(too-old|missing-instance)$/.test(reason));
    if (wasApplied(message, stored) && isTwice) {
      problems.push(`${type} ${id} for ${key} was applied and is a dead letter as well`);
    }
  }
  return problems;
}

function lettersIn(stored: readonly PartitionData[]): readonly LetterEntry[] {
  const rows = stored.flatMap(({ deadLetters }) => [...deadLetters.values()]);
  return rows.map(({ entry }) => JSON.parse(entry) as LetterEntry);
}

function isNameOf(message: Accepted, name: string | undefined): boolean {
  return isName(message, name, partitionCount);
}

function wasApplied(message: Accepted, stored: ReadonlyMap<string, Stored>): boolean {
  const { history = [] } = stored.get(message.key) ?? {};
  return history.some(({ messageId }) => isNameOf(message, messageId));
}

function lateTimers({ firings }: Recorder, from: number): readonly string[] {
  return firings
    .filter(({ due, at }) => due >= from && at - due > latestMs)
    .map(({ id, due, at }) => `${id} fired ${at - due} ms late, long after the last fault`);
}
