import type { ErrorRecord } from "../../errors.ts";
import { validate } from "../../schema.ts";
import type { Arrival, EventArrival } from "../arrival.ts";
import type { Origin } from "../step.ts";
import { advance, tryEvent } from "./advance.ts";
import type { Draft } from "./draft.ts";
import type { Plan } from "./plan.ts";
import {
  hasEnded,
  internalType,
  invalidPayload,
  notAccepted,
  observeSetAside,
  type Refusal,
  refuse,
  rememberMessage,
} from "./refuse.ts";
import { actorOf, type Running, update, waitingEvent } from "./running.ts";

/** An event whose type is known. */
export interface TypedEvent {
  readonly arrival: EventArrival;
  readonly type: string;
  /** Set for an event that was kept with its instance: its message is remembered already. */
  readonly isKept?: true;
  /** Set for what a child has sent. */
  readonly origin?: Origin;
}

export type StepOutcome =
  | { readonly kind: "applied" }
  | { readonly kind: "unhandled" }
  | { readonly kind: "threw"; readonly error: ErrorRecord };

/** The event with its payload as the schema leaves it; undefined when it does not fit. */
export function check({ plan, definition }: Running, event: TypedEvent): TypedEvent | undefined {
  const { arrival, type } = event;
  const { events, internal } = definition.workflow;
  const rule = events.get(type);
  if (arrival.internal === true) return event;
  if (internal.includes(type)) {
    turnAway(plan, event, internalType(type));
    return undefined;
  }
  if (rule === undefined) return event;
  const result = validate(rule.schema, arrival.payload);
  if (result.ok) {
    const payload = result.value as Readonly<Record<string, unknown>>;
    return { ...event, arrival: { ...arrival, payload } };
  }
  turnAway(plan, event, invalidPayload(type, result.problems));
  return undefined;
}

/** One event through the machine and, when it is taken, into the plan. */
export function step(
  running: Running,
  event: {
    readonly type: string;
    readonly payload: Readonly<Record<string, unknown>>;
    readonly origin?: Origin;
    readonly arrival: Pick<Arrival, "trace" | "messageId">;
  },
): StepOutcome {
  const { type, payload, arrival } = event;
  const trial = tryEvent(running, event);
  if (trial.kind !== "fits") return trial;
  const { trace, messageId } = arrival;
  const cause = { type, trace, payload, ...(messageId !== undefined && { messageId }) };
  advance(running, trial.result, cause);
  return { kind: "applied" };
}

/** An event for an instance that has ended. */
export function afterEnd({ plan, draft, definition }: Running, event: TypedEvent): void {
  const { arrival, type } = event;
  const policy = definition.workflow.events.get(type)?.unaccepted;
  const state = definition.stepper.view(actorOf(draft)).value;
  const isIgnored = policy === "ignore" || arrival.internal === true;
  if (arrival.reply === undefined && isIgnored)
    observeSetAside(plan, { ...arrival, type }, "ignored");
  else turnAway(plan, event, hasEnded(draft.current ?? missing(draft), type, state));
  remember(draft, event);
}

/** An event that the present state does not react to. */
export function unaccepted({ plan, draft, definition }: Running, event: TypedEvent): void {
  const { arrival, type, origin } = event;
  const policy = definition.workflow.events.get(type)?.unaccepted ?? "dead-letter";
  const instance = draft.current ?? missing(draft);
  if (arrival.reply !== undefined || policy === "dead-letter") {
    const state = definition.stepper.view(actorOf(draft)).value;
    const accepts = definition.stepper.accepts(actorOf(draft));
    turnAway(plan, event, notAccepted(instance, type, { state, accepts }));
  } else {
    observeSetAside(plan, { ...arrival, type }, policy === "defer" ? "deferred" : "ignored");
  }
  if (arrival.reply === undefined && policy === "defer") {
    const waiting = waitingEvent(arrival, { type, payload: arrival.payload }, origin);
    update(draft, { deferred: [...(instance.deferred ?? []), waiting] });
  }
  remember(draft, event);
}

/** What a requester was refused may come again under the same id; the rest is dealt with for good. */
function remember(draft: Draft, { arrival, isKept }: TypedEvent): void {
  if (arrival.reply === undefined && isKept !== true) rememberMessage(draft, arrival);
}

/** Turns an event away with what it carried. */
export function turnAway(plan: Plan, { arrival, type }: TypedEvent, refusal: Refusal): void {
  refuse(plan, arrival, { type, body: arrival.payload }, refusal);
}

/** For a place that is only reached with an instance. */
export function missing(draft: Draft): never {
  throw new Error(`${draft.key} has no instance`);
}
