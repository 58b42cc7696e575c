import { traceIdOf } from "../../tracer.ts";
import type { Definition } from "../registry.ts";
import { stateText } from "../statechart/shown-state.ts";
import type { Draft } from "./draft.ts";
import type { Plan } from "./plan.ts";
import { type Cause, type Running, update } from "./running.ts";

/** Writes into an instance's history what an operator did to it: one version more in the same state. */
export function note(plan: Plan, draft: Draft, cause: Cause): void {
  const version = (draft.current?.version ?? 0) + 1;
  update(draft, { version });
  draft.effects = 0;
  const definition = plan.definition(draft.key, draft.current);
  const state = stateOf(draft, definition);
  keepStep({ plan, draft, definition }, { version, cause, state });
  const text = stateText(state);
  const { key } = draft;
  plan.observations.push({ kind: "applied", key, type: cause.type, from: text, to: text, version });
}

/** Adds a step to an instance's history, as text, unless its workflow keeps none. */
export function keepStep(
  {
    plan,
    draft,
    definition,
  }: Pick<Running, "plan" | "draft"> & { readonly definition: Definition | undefined },
  step: { readonly version: number; readonly cause: Cause; readonly state: unknown },
): void {
  if (definition?.workflow.history === false) return;
  const { version, cause, state } = step;
  const entry = {
    at: Math.floor(plan.context.now),
    version,
    type: cause.type,
    messageId: cause.messageId,
    payload: cause.payload,
    state,
    traceId: traceIdOf(cause.trace),
  };
  draft.history.push(JSON.stringify(entry));
}

function stateOf({ current }: Draft, definition: Definition | undefined): unknown {
  if (current?.actor === undefined) return current?.sealed?.actor.value;
  return definition?.stepper.view(current.actor).value;
}
