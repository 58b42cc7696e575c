import type { InstanceWrite } from "../../src/commit.ts";
import type { ActorRecord, TimerRecord } from "../../src/engine/statechart/actor.ts";
import type { Origin } from "../../src/engine/step.ts";
import {
  heldTimer,
  limboTimer,
  parseEngineTimer,
  parseTimerId,
  retentionTimer,
  timerId,
} from "../../src/engine/timer-id.ts";
import { isFinal, isRetention, type RecordView } from "../support/instance-checks.ts";

/** Timers of instances that have no actor here. */
const waitsOutside: readonly string[] = [limboTimer, heldTimer];

/** Where the timers armed in the store and those in the record that was just written differ; its clock came to `latest`. */
export function timersMisfit(
  { key, record }: InstanceWrite,
  timers: ReadonlyMap<string, number>,
  latest: number,
): readonly string[] {
  const view: RecordView = record === undefined ? {} : JSON.parse(record);
  const { actor, held = [] } = view;
  const wanted = new Map(
    (actor?.timers ?? [])
      .filter((timer) => !held.some(({ origin }) => hasFired(timer, origin)))
      .map(({ name, generation, due }) => [`${key}#${generation}#${name}`, due]),
  );
  const problems: string[] = [];
  for (const [id, due] of wanted) {
    const stored = timers.get(id);
    // An overdue one whose instance cannot be run where it fired comes round again.
    const isPutOff = stored !== undefined && stored > due && due <= latest;
    if (stored !== due && !isPutOff)
      problems.push(`${id} is due at ${due} by the record, ${stored} by the store`);
  }
  const retention = timerId({ key, generation: 0, name: retentionTimer });
  if (timers.has(retention) !== isOver(view)) problems.push(`${key}: its retention is wrong`);
  for (const id of timers.keys()) {
    const timer = parseTimerId(id);
    if (timer?.key !== key || waitsOutside.includes(timer.name) || isRetention(id)) continue;
    const own = parseEngineTimer(timer.name);
    const isWanted =
      own === undefined ? wanted.has(id) : runs(actor, own.activity, timer.generation);
    if (!isWanted) problems.push(`${id} is armed, but nothing in the record wants it`);
  }
  return problems;
}

/** Nothing will happen to it any more, so that it may be removed in time. */
function isOver(view: RecordView): boolean {
  return isFinal(view) && view.failure === undefined && (view.deferred ?? []).length === 0;
}

/** A timer that has fired while its instance stood still. */
function hasFired({ name, generation }: TimerRecord, origin: Origin | undefined): boolean {
  if (origin === undefined || !("timer" in origin)) return false;
  return origin.timer === name && origin.generation === generation;
}

function runs(actor: ActorRecord | undefined, activity: string, generation: number): boolean {
  const children = actor?.children ?? [];
  return children.some(
    (child) => child.id === activity && child.generation === generation && child.ended !== true,
  );
}
