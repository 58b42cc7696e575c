import type { Commit } from "../../src/commit.ts";
import type { ActivityReport } from "../../src/engine/arrival.ts";
import { parseEngineTimer, parseTimerId } from "../../src/engine/timer-id.ts";
import { wire } from "../../src/engine/wire.ts";
import { instanceHeader, type Message } from "../../src/message.ts";
import { partitionOf } from "../../src/routing.ts";
import type { MemoryStoreData } from "../../src/stores/memory/store-data.ts";
import type { RecordView } from "../support/instance-checks.ts";

interface Child {
  readonly id: string;
  readonly generation: number;
}

/** Attempts that a commit asks for although it is decided how their activity ends: that end waits with its instance. */
export function runsInVain(
  { instances, timersArmed }: Commit,
  before: ReadonlyMap<string, number>,
): readonly string[] {
  return timersArmed.flatMap(({ id }) => {
    const timer = parseTimerId(id);
    const own = parseEngineTimer(timer?.name ?? "");
    if (timer === undefined || own === undefined || before.has(id)) return [];
    const record = instances.find(({ key }) => key === timer.key)?.record;
    if (record === undefined) return [];
    const child = { id: own.activity, generation: timer.generation };
    if (!isDecided(JSON.parse(record) as RecordView, child)) return [];
    return [`${id} was armed, but the end of its activity waits to be played`];
  });
}

/** A success that was acknowledged although the instance still waits for it. */
export function lostSuccess(
  { partitions }: MemoryStoreData,
  { id = "", type, headers, body }: Message,
): string | undefined {
  const key = headers?.[instanceHeader];
  if (type !== wire.result || key === undefined) return undefined;
  const { activity, generation, outcome } = JSON.parse(body) as ActivityReport;
  if (outcome.kind !== "done") return undefined;
  const row = partitions[partitionOf(key, partitions.length)]?.instances.get(key);
  // What two runs of one attempt report bears one id, and the first one counts.
  if (row === undefined || row.inbox.has(id)) return undefined;
  const view = JSON.parse(row.stored.record) as RecordView;
  const child = view.actor?.children?.find(
    (one) => one.id === activity && one.generation === generation && one.ended !== true,
  );
  if (child === undefined || isDecided(view, child)) return undefined;
  return `${key}: the result of ${activity} was acknowledged, and is neither applied nor kept`;
}

function isDecided({ held = [] }: RecordView, { id, generation }: Child): boolean {
  return held.some(({ type, origin }) => {
    if (origin === undefined || !("child" in origin)) return false;
    if (origin.child !== id || origin.generation !== generation) return false;
    return type === `xstate.done.actor.${id}` || type === `xstate.error.actor.${id}`;
  });
}
