import type { WaitingEvent } from "../instance.ts";
import type { Origin } from "../step.ts";
import { heldTimer } from "../timer-id.ts";
import { forgetRun } from "./carry-out.ts";
import type { Draft } from "./draft.ts";
import { fail } from "./fail.ts";
import { afterEnd, check, step, unaccepted } from "./offer.ts";
import type { Plan } from "./plan.ts";
import { actorOf, type Running, update } from "./running.ts";
import { sendWaiting } from "./send-waiting.ts";

/** How long an instance whose code is not here is left alone before anybody looks again. */
export const sealedRetryMs = 5_000;

/** Keeps an event that comes while its instance stands still or its code is not here. */
export function keepEvent(plan: Plan, draft: Draft, event: WaitingEvent): void {
  update(draft, { held: [...(draft.current?.held ?? []), event] });
  if (draft.current?.sealed === undefined) return;
  plan.arm({ key: draft.key, generation: 0, name: heldTimer }, plan.context.now + sealedRetryMs);
}

/** True while events for the instance wait until an operator has looked at it. */
export function standsStill({ current }: Draft): boolean {
  return current?.failure !== undefined || current?.suspended === true;
}

/** Plays the events that were kept, in order, now that the instance runs (again); the first one that throws ends it. */
export function playHeld(running: Running): void {
  const { draft, plan } = running;
  const held = draft.current?.held ?? [];
  if (held.length === 0 || standsStill(draft)) return;
  update(draft, { held: [] });
  for (const event of plan.context.isAlone ? sendWaiting(running, held) : held) {
    if (standsStill(draft)) update(draft, { held: [...(draft.current?.held ?? []), event] });
    else play(running, event);
  }
}

function play(running: Running, event: WaitingEvent): void {
  const { type, payload, origin, trace = {} } = event;
  const { key } = running.draft;
  const id = event.messageId === undefined ? {} : { messageId: event.messageId };
  const arrival = { kind: "event" as const, receipt: {}, key, type, payload, trace, ...id };
  const checked =
    event.isUnchecked === true ? check(running, { arrival, type }) : { arrival, type };
  if (checked === undefined) return;
  if (origin !== undefined && "child" in origin) callOffRun(running, origin);
  const kept = { ...event, payload: checked.arrival.payload };
  const outcome = step(running, { ...kept, arrival });
  if (outcome.kind === "threw") return fail(running, kept, outcome.error);
  if (outcome.kind === "applied" || origin !== undefined) return;
  const isOver = actorOf(running.draft).snapshot.status !== "active";
  (isOver ? afterEnd : unaccepted)(running, { ...checked, isKept: true });
}

/** A result that came while the code of its activity was not here: now nothing waits for it any more. */
function callOffRun(running: Running, origin: Extract<Origin, { child: string }>): void {
  const { child: activity, generation } = origin;
  const run = actorOf(running.draft).children.find(
    (one) => one.kind === "activity" && one.id === activity && one.generation === generation,
  );
  if (run !== undefined) forgetRun(running, { activity, ...run });
}
