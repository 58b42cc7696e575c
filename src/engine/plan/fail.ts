import type { ErrorRecord } from "../../errors.ts";
import type { WaitingEvent } from "../instance.ts";
import type { Draft } from "./draft.ts";
import { type Parked, park } from "./park.ts";
import type { Plan } from "./plan.ts";
import { type Running, update } from "./running.ts";

/** Marks the instance as failed; the event stays first in line, and the operator is told. */
export function fail(
  { plan, draft }: Pick<Running, "plan" | "draft">,
  event: WaitingEvent,
  error: ErrorRecord,
): void {
  const held = [...(draft.current?.held ?? []), event];
  const at = Math.floor(plan.context.now);
  const why = { reason: "poison", detail: error.message } as const;
  const name = `${draft.key}/${draft.current?.version ?? 0}/failed`;
  const letter = giveUp(plan, draft, event, { ...why, name });
  update(draft, { held, failure: { type: event.type, error, at, letter } });
  plan.observations.push({
    kind: "failed",
    key: draft.key,
    type: event.type,
    error: error.message,
  });
}

/** Sets an event aside that was kept for an instance; answers the dead letter's id. */
export function giveUp(
  plan: Plan,
  draft: Draft,
  event: WaitingEvent,
  why: Pick<Parked, "reason" | "detail" | "name">,
): string {
  const { type, payload, messageId, trace = {} } = event;
  return park(plan, {
    arrival: { key: draft.key, trace, ...(messageId !== undefined && { messageId }) },
    type,
    body: JSON.stringify(payload),
    ...why,
  });
}

/** Sets everything aside that was kept for an instance and will never be taken. */
export function giveUpAll(plan: Plan, draft: Draft, why: Pick<Parked, "reason" | "detail">): void {
  if (draft.current === undefined) return;
  const { deferred = [], held = [], ...rest } = draft.current;
  if (deferred.length + held.length === 0) return;
  // What timers and children have brought means nothing without the instance.
  for (const event of [...held, ...deferred]) {
    if (event.origin === undefined) giveUp(plan, draft, event, why);
  }
  draft.current = rest;
  draft.touched = true;
}
