import type { StopArrival } from "../arrival.ts";
import { heldTimer } from "../timer-id.ts";
import { advance } from "./advance.ts";
import { forgetRun } from "./carry-out.ts";
import type { Draft } from "./draft.ts";
import { giveUpAll } from "./fail.ts";
import { note } from "./note.ts";
import type { Plan } from "./plan.ts";
import { observeSetAside, refuse, unknownInstance } from "./refuse.ts";
import { type Cause, update } from "./running.ts";

/** Ends an instance at once: no exit action runs, every timer, activity and child is called off. */
export function applyStop(plan: Plan, arrival: StopArrival): void {
  const draft = plan.draft(arrival.key);
  if (draft.current?.actor === undefined && draft.current?.sealed === undefined) {
    if (arrival.reply === undefined) return observeSetAside(plan, stopOf(arrival), "stale");
    return refuse(plan, arrival, { ...stopOf(arrival), body: {} }, unknownInstance(arrival.key));
  }
  stop(plan, draft, { type: "waybill.stop", trace: arrival.trace });
  plan.reply(arrival, { outcome: "stopped", instance: draft.current });
}

function stopOf({ key }: StopArrival): { readonly key: string; readonly type: string } {
  return { key, type: "waybill.stop" };
}

/** Stops what runs under the key of a draft, if anything; what was kept for it is set aside. */
export function stop(plan: Plan, draft: Draft, cause: Cause): void {
  if (draft.current?.sealed === undefined && draft.current?.actor === undefined) return;
  const { failure, suspended: _, ...current } = draft.current;
  // What it has failed on is set aside once more, now for having come too late.
  if (failure?.letter !== undefined) plan.forgetLetter(failure.letter);
  draft.current = current;
  if (current.sealed !== undefined) return callOff(plan, draft, cause);
  const definition = plan.definition(draft.key, current);
  const actor = current.actor;
  if (actor === undefined || definition === undefined) return;
  const result = definition.stepper.stop(actor);
  if (result.kind === "applied") advance({ plan, draft, definition }, result, cause);
  giveUpAll(plan, draft, wasStopped);
}

const wasStopped = {
  reason: "ended",
  detail: "it was kept for an instance that was stopped",
} as const;

/** Calls off the timers and runs of an instance whose code is not here; its children are out of reach. */
function callOff(plan: Plan, draft: Draft, cause: Cause): void {
  const { key, current } = draft;
  const sealed = current?.sealed;
  // What has ended stays as it ended.
  if (sealed === undefined || sealed.actor.status !== "active") {
    return giveUpAll(plan, draft, wasStopped);
  }
  const { timers = [], children = [], ...actor } = sealed.actor;
  for (const timer of timers) plan.disarm({ ...timer, key });
  plan.disarm({ key, generation: 0, name: heldTimer });
  const activities = children.filter(({ kind }) => kind === "activity");
  for (const child of activities) forgetRun({ plan, draft }, { activity: child.id, ...child });
  update(draft, { sealed: { ...sealed, actor: { ...actor, status: "stopped" } } });
  note(plan, draft, cause);
  giveUpAll(plan, draft, wasStopped);
}
