import type { StoredInstance } from "../commit.ts";
import type { ErrorRecord } from "../errors.ts";
import { parseInstanceKey } from "../message.ts";
import type { InstanceView, Until } from "./client.ts";
import { type Instance, statusOf, stuckBecause, termsOf, tracesOf } from "./instance.ts";
import type { Definition } from "./registry.ts";
import type { Actor } from "./statechart/actor.ts";
import { stuckAction } from "./stuck.ts";

/** What can be said of every stored instance, and what only of one that can be read. */
type Facts = Pick<InstanceView, "workflow" | "id" | "version" | "createdAt" | "updatedAt">;
type Insight = Omit<InstanceView, keyof Facts | "definition" | "waiting" | "traces">;

/** An instance as outsiders see it. */
export function viewOf(instance: Instance, definition: Definition | undefined): InstanceView {
  const { deferred = [], held = [], actor } = instance;
  const insight =
    definition === undefined || actor === undefined
      ? fromOutside(instance.sealed)
      : fromInside(instance, actor, definition);
  const waiting = deferred.length + held.length;
  const traces = tracesOf(instance);
  return {
    ...factsOf(instance),
    definition: instance.definition,
    waiting,
    ...(traces.length > 0 && { traces }),
    ...insight,
  };
}

/** An instance whose record cannot be read. */
export function brokenView(stored: StoredInstance, error: ErrorRecord): InstanceView {
  const insight = { ...fromOutside(undefined), state: "unreadable", error };
  return { ...factsOf(stored), definition: "", waiting: 0, ...insight };
}

function factsOf({
  key,
  version,
  createdAt,
  updatedAt,
}: Pick<StoredInstance, "key" | "version" | "createdAt" | "updatedAt">): Facts {
  const { workflow = "", id = "" } = parseInstanceKey(key) ?? {};
  return { workflow, id, version, createdAt, updatedAt };
}

function fromInside(instance: Instance, actor: Actor, definition: Definition): Insight {
  const { stepper, workflow } = definition;
  const { value, tags, context, output, error: thrown, status: actorStatus } = stepper.view(actor);
  const status = statusOf(instance, actorStatus);
  const error = instance.failure?.error ?? thrown;
  const stuck = stuckBecause(instance, definition);
  return {
    status,
    ...(stuck !== undefined && { stuck: true, advice: `${stuck} ${stuckAction}` }),
    state: value,
    tags,
    context,
    ...(output !== undefined && { output }),
    ...(error !== undefined && { error }),
    timers: actor.timers.map(({ name, due }) => ({
      name: timerLabel(name, workflow.machine.id),
      due,
    })),
    activities: actor.children
      .filter((child) => child.ended !== true && child.kind === "activity")
      .map(({ id, source, attempt }) => ({ id, name: source, attempt })),
    accepts: status === "active" ? stepper.accepts(actor) : [],
  };
}

/** `xstate.after.<delay>.<machine>.<state>` as a person would say it; other timers go by their own id. */
function timerLabel(name: string, machineId: string): string {
  const [, delay, node] = /^xstate\.after\.([^.]+)\.(.+)$/.exec(name) ?? [];
  if (node === undefined) return name;
  const state = node.startsWith(`${machineId}.`) ? node.slice(machineId.length + 1) : node;
  return `after ${delay} in ${state}`;
}

/** What can be said of an instance whose code is not here, or that has not been started. */
function fromOutside(sealed: Instance["sealed"]): Insight {
  const nothing = { tags: [], timers: [], activities: [], accepts: [] };
  if (sealed === undefined) {
    return { ...nothing, status: "suspended", state: "awaited", context: undefined };
  }
  const { status, value, context } = sealed.actor;
  return {
    ...nothing,
    status: status === "active" ? "suspended" : status,
    state: value,
    context,
    error: { name: sealed.why.code, message: sealed.why.message },
  };
}

/** Whether an instance is where somebody waits for it to be. */
export function hasReached(
  instance: Instance,
  definition: Definition | undefined,
  until: Until,
): boolean {
  const terms = termsOf(instance, definition);
  if (until !== "done") return terms.includes(until);
  return terms.some((term) => /^status:(done|error|stopped)$/.test(term));
}
