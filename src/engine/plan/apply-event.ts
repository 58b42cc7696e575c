import type { EventArrival } from "../arrival.ts";
import { type Instance, statusOf } from "../instance.ts";
import { limboTimer } from "../timer-id.ts";
import { applyStart } from "./apply-start.ts";
import type { Draft } from "./draft.ts";
import { fail } from "./fail.ts";
import { keepEvent } from "./hold.ts";
import { afterEnd, check, missing, step, type TypedEvent, turnAway, unaccepted } from "./offer.ts";
import type { Plan } from "./plan.ts";
import {
  type Refusal,
  rememberMessage,
  setAside,
  threw,
  unknownInstance,
  unknownWorkflow,
} from "./refuse.ts";
import { actorOf, type Running, update, waitingEvent } from "./running.ts";

/** Offers an event from outside to its instance. */
export function applyEvent(plan: Plan, arrival: EventArrival): void {
  const draft = plan.draft(arrival.key);
  const type = arrival.type ?? draft.current?.requests?.[arrival.request ?? ""];
  const definition = plan.definition(arrival.key, draft.current);
  if (type === undefined) return turnAway(plan, { arrival, type: "?" }, untyped(arrival));
  const event: TypedEvent = { arrival, type };
  if (draft.current?.sealed !== undefined) return hold(plan, draft, event);
  if (definition === undefined) {
    return turnAway(plan, event, unknownWorkflow(arrival.key, plan.context.registry.names()));
  }
  const running = { plan, draft, definition };
  const checked = check(running, event);
  if (checked === undefined) return;
  if (draft.current?.actor === undefined) return applyToMissing(running, checked);
  applyChecked(running, checked);
}

function applyChecked(running: Running, event: TypedEvent): void {
  const { plan, draft } = running;
  const { arrival, type } = event;
  const { ifVersion, payload } = arrival;
  if (ifVersion !== undefined && ifVersion !== draft.current?.version) {
    return turnAway(plan, event, otherVersion(draft.current, ifVersion));
  }
  const status = statusOf(draft.current ?? missing(draft), actorOf(draft).snapshot.status);
  if (status === "failed" || status === "suspended") return hold(plan, draft, event);
  if (status !== "active") return afterEnd(running, event);
  const outcome = step(running, { type, payload, arrival });
  if (outcome.kind === "applied") return accept(running, event);
  if (outcome.kind === "unhandled") return unaccepted(running, event);
  if (arrival.reply !== undefined)
    return turnAway(plan, event, threw(draft.key, type, outcome.error));
  fail(running, waitingEvent(arrival, { type, payload }), outcome.error);
  rememberMessage(draft, arrival);
}

function accept({ plan, draft }: Running, { arrival }: TypedEvent): void {
  rememberMessage(draft, arrival);
  const { request } = arrival;
  if (request !== undefined && draft.current?.requests?.[request] !== undefined) {
    const { [request]: _, ...requests } = draft.current.requests;
    update(draft, { requests });
  }
  plan.reply(arrival, { outcome: "applied", ...(draft.current && { instance: draft.current }) });
}

/** There is no instance yet: refuse, start one, or keep the event until one starts. */
function applyToMissing(running: Running, event: TypedEvent): void {
  const { plan, draft, definition } = running;
  const { arrival, type } = event;
  const policy = definition.workflow.events.get(type)?.missing ?? "reject";
  if (policy === "reject" || (arrival.reply !== undefined && policy === "park")) {
    return turnAway(plan, event, unknownInstance(draft.key));
  }
  if (policy === "park") return park(running, event);
  const start = { kind: "start", input: arrival.payload, onConflict: "use-existing" } as const;
  applyStart(plan, { ...arrival, ...start, type, isPrelude: true });
  if (draft.current?.actor !== undefined) applyChecked(running, event);
}

function park({ plan, draft, definition }: Running, { arrival, type }: TypedEvent): void {
  const first = draft.current === undefined;
  const { now, missingInstanceWaitMs } = plan.context;
  draft.current ??= {
    key: draft.key,
    version: 1,
    createdAt: now,
    updatedAt: now,
    definition: definition.workflow.version,
    terms: [],
  };
  if (first)
    plan.arm({ key: draft.key, generation: 0, name: limboTimer }, now + missingInstanceWaitMs);
  update(draft, {
    held: [...(draft.current.held ?? []), waitingEvent(arrival, { ...arrival, type })],
  });
  setAside(plan, draft, { ...arrival, type }, "held");
}

function hold(plan: Plan, draft: Draft, { arrival, type }: TypedEvent): void {
  const event = waitingEvent(arrival, { type, payload: arrival.payload });
  const isUnchecked = draft.current?.sealed !== undefined && arrival.internal !== true;
  keepEvent(plan, draft, isUnchecked ? { ...event, isUnchecked } : event);
  setAside(plan, draft, { ...arrival, type }, "held");
  plan.reply(arrival, { outcome: "held", ...(draft.current && { instance: draft.current }) });
}

function untyped(arrival: EventArrival): Refusal {
  return {
    reason: "unrouted-reply",
    problem: {
      code: "missing-type",
      message: `A message for ${arrival.key} has no type, and no request of it declares a reply.`,
      action: "Set the AMQP property `type` to the event type.",
    },
  };
}

function otherVersion(instance: Instance | undefined, expected: number): Refusal {
  return {
    reason: "not-accepted",
    problem: {
      code: "version-mismatch",
      message: `${instance?.key ?? "It"} is at version ${instance?.version ?? 0}, not ${expected}.`,
      action: "Read it again and decide anew.",
      details: { version: instance?.version ?? 0 },
    },
  };
}
