import type { AnyEventObject } from "xstate";
import { isReservedType } from "../../message.ts";
import type { Actor, TimerRecord } from "./actor.ts";

/** Who sent an event that only the engine may send: a timer or a child of this actor. */
export type Origin =
  | { readonly timer: string; readonly generation: number }
  | { readonly child: string; readonly generation: number };

/** An event that may be applied, and the actor without what the event has used up. */
export type Admission =
  | { readonly kind: "refused"; readonly reason: "stale" | "ended" | "reserved" }
  | { readonly kind: "event"; readonly actor: Actor }
  /** A delayed send that is due: the machine does not see it. */
  | { readonly kind: "delivery"; readonly actor: Actor; readonly timer: TimerRecord };

/**
 * Decides whether an event is for the actor as it is now. XState matches timers and results of children by
 * name only, so that those of an earlier visit of a state would be taken for present ones.
 */
export function admit(actor: Actor, event: AnyEventObject, origin: Origin | undefined): Admission {
  // XState would still run the root's transitions of an ended machine.
  if (actor.snapshot.status !== "active") return { kind: "refused", reason: "ended" };
  if (origin !== undefined) {
    return "timer" in origin ? admitTimer(actor, event, origin) : admitChild(actor, event, origin);
  }
  if (isReservedType(event.type)) return { kind: "refused", reason: "reserved" };
  return { kind: "event", actor };
}

function admitTimer(
  actor: Actor,
  event: AnyEventObject,
  origin: Extract<Origin, { timer: string }>,
): Admission {
  const timer = actor.timers.find(({ generation }) => generation === origin.generation);
  if (timer === undefined || timer.name !== origin.timer) {
    return { kind: "refused", reason: "stale" };
  }
  if (event.type !== timer.event.type) return { kind: "refused", reason: "reserved" };
  const rest = { ...actor, timers: actor.timers.filter((one) => one !== timer) };
  return timer.target === undefined
    ? { kind: "event", actor: rest }
    : { kind: "delivery", actor: rest, timer };
}

function admitChild(
  actor: Actor,
  event: AnyEventObject,
  origin: Extract<Origin, { child: string }>,
): Admission {
  const child = actor.children.find(({ id }) => id === origin.child);
  if (child === undefined || child.generation !== origin.generation || child.ended) {
    return { kind: "refused", reason: "stale" };
  }
  const { id } = child;
  const answers = [`xstate.done.actor.${id}`, `xstate.error.actor.${id}`];
  if (!answers.includes(event.type)) {
    if (isReservedType(event.type)) return { kind: "refused", reason: "reserved" };
    return { kind: "event", actor };
  }
  // Kept until its state is left, but without its input: nobody starts it again.
  const { input: _, ...ended } = { ...child, ended: true as const };
  const children = actor.children.map((one) => (one === child ? ended : one));
  return { kind: "event", actor: { ...actor, children } };
}
