import type { Headers } from "../../message.ts";
import type { Arrival } from "../arrival.ts";
import type { Instance, WaitingEvent } from "../instance.ts";
import type { Definition } from "../registry.ts";
import type { Actor } from "../statechart/actor.ts";
import type { Origin } from "../step.ts";
import type { Draft } from "./draft.ts";
import type { Plan } from "./plan.ts";

/** A draft whose instance runs, with what runs it. */
export interface Running {
  readonly plan: Plan;
  readonly draft: Draft;
  readonly definition: Definition;
}

/** What made an instance move. */
export interface Cause {
  readonly type: string;
  readonly trace: Headers;
  readonly messageId?: string;
  readonly payload?: unknown;
}

/** The running instance of a draft; only called where it is known to run. */
export function actorOf(draft: Draft): Actor {
  const actor = draft.current?.actor;
  if (actor === undefined) throw new Error(`${draft.key} does not run`);
  return actor;
}

/** Replaces parts of a draft's instance. */
export function update(draft: Draft, change: Partial<Instance>): void {
  if (draft.current === undefined) return;
  draft.current = { ...draft.current, ...change };
  draft.touched = true;
}

/** The event as an arrival carried it, to be kept. */
export function waitingEvent(
  arrival: Pick<Arrival, "messageId" | "trace">,
  event: { readonly type: string; readonly payload: Readonly<Record<string, unknown>> },
  origin?: Origin,
): WaitingEvent {
  return {
    type: event.type,
    payload: event.payload,
    ...(arrival.messageId !== undefined && { messageId: arrival.messageId }),
    ...(origin !== undefined && { origin }),
    ...(Object.keys(arrival.trace).length > 0 && { trace: arrival.trace }),
  };
}
