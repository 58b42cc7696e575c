import { traceIdOf } from "../../tracer.ts";
import { stateText } from "../statechart/shown-state.ts";
import type { Draft } from "./draft.ts";
import type { Plan } from "./plan.ts";
import { type Cause, update } from "./running.ts";

/** Writes into an instance's history what an operator did to it: one version more in the same state. */
export function note(plan: Plan, draft: Draft, cause: Cause): void {
  const version = (draft.current?.version ?? 0) + 1;
  update(draft, { version });
  draft.effects = 0;
  const state = stateOf(plan, draft);
  draft.history.push(historyEntry(plan, { version, cause, state }));
  const text = stateText(state);
  const { key } = draft;
  plan.observations.push({ kind: "applied", key, type: cause.type, from: text, to: text, version });
}

/** An entry of an instance's history as text. */
export function historyEntry(
  plan: Plan,
  step: { readonly version: number; readonly cause: Cause; readonly state: unknown },
): string {
  const { version, cause, state } = step;
  return JSON.stringify({
    at: Math.floor(plan.context.now),
    version,
    type: cause.type,
    messageId: cause.messageId,
    payload: cause.payload,
    state,
    traceId: traceIdOf(cause.trace),
  });
}

function stateOf(plan: Plan, { key, current }: Draft): unknown {
  if (current?.actor === undefined) return current?.sealed?.actor.value;
  return plan.definition(key, current)?.stepper.view(current.actor).value;
}
