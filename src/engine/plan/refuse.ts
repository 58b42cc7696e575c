import type { ErrorFacts } from "../../errors.ts";
import type { DeadLetterReason } from "../../observer.ts";
import type { Arrival, EventArrival } from "../arrival.ts";
import type { Instance } from "../instance.ts";
import type { Draft } from "./draft.ts";
import { park } from "./park.ts";
import type { Plan } from "./plan.ts";

/** How a message is turned away: in words for a requester, as a reason for the operator. */
export interface Refusal {
  readonly reason: DeadLetterReason;
  readonly problem: ErrorFacts;
}

/** Turns a message away: the requester is told if one waits, else it becomes a dead letter. */
export function refuse(
  plan: Plan,
  arrival: Arrival,
  message: { readonly type: string | undefined; readonly body: unknown },
  refusal: Refusal,
): void {
  if (arrival.reply !== undefined) {
    // Nothing is written that could reveal a copy of a handled message, so the inbox has to be asked.
    plan.doubt(arrival);
    return plan.reply(arrival, { problem: refusal.problem });
  }
  park(plan, {
    arrival,
    type: message.type,
    body: typeof message.body === "string" ? message.body : JSON.stringify(message.body),
    reason: refusal.reason,
    detail: refusal.problem.message,
  });
}

type SetAside = "deferred" | "ignored" | "held" | "duplicate" | "stale";

/** Says that a message changes nothing. */
export function observeSetAside(
  plan: Plan,
  { key, type }: { readonly key: string; readonly type: string | undefined },
  outcome: SetAside,
): void {
  plan.observations.push({ kind: "set-aside", key, type, outcome });
}

/** Says that a message changes nothing, and remembers it so that a copy does not either. */
export function setAside(
  plan: Plan,
  draft: Draft,
  arrival: Pick<EventArrival, "messageId" | "bornAt"> & { readonly type?: string | undefined },
  outcome: SetAside,
): void {
  observeSetAside(plan, { key: draft.key, type: arrival.type }, outcome);
  if (outcome !== "duplicate" && outcome !== "stale") rememberMessage(draft, arrival);
}

/** Adds the message to the inbox of its instance; without an instance there is nothing to remember. */
export function rememberMessage(
  draft: Draft,
  { messageId, bornAt }: Pick<Arrival, "messageId" | "bornAt">,
): void {
  if (messageId === undefined || draft.current === undefined) return;
  draft.inbox.push({ id: messageId, ...(bornAt !== undefined && { bornAt }) });
  draft.touched = true;
}

export function unknownWorkflow(key: string, known: readonly string[]): Refusal {
  return {
    reason: "unknown-workflow",
    problem: {
      code: "unknown-workflow",
      message: `There is no workflow for ${key} here.`,
      action: `Use one of: ${known.join(", ")}.`,
    },
  };
}

/** Of the types that a workflow declares as `internal`. */
export function internalType(type: string): Refusal {
  return {
    reason: "reserved-type",
    problem: {
      code: "reserved-type",
      message: `Events of type ${type} are only sent by the machine itself and its children.`,
      action: "Send an event that the workflow lists among its events.",
    },
  };
}

export function unknownInstance(key: string): Refusal {
  return {
    reason: "missing-instance",
    problem: {
      code: "unknown-instance",
      message: `There is no instance ${key}.`,
      action: "Start it first, or check the id.",
    },
  };
}

export function notAccepted(
  instance: Instance,
  type: string,
  now: { readonly state: unknown; readonly accepts: readonly string[] },
): Refusal {
  const list = now.accepts.length === 0 ? "no event from outside" : now.accepts.join(", ");
  return {
    reason: "not-accepted",
    problem: {
      code: "not-accepted",
      message: `${instance.key} does not accept ${type} in its present state.`,
      action: `It accepts ${list} now.`,
      details: { accepts: now.accepts, state: now.state },
    },
  };
}

export function hasEnded(instance: Instance, type: string, state: unknown): Refusal {
  return {
    reason: "ended",
    problem: {
      code: "ended",
      message: `${instance.key} has ended and takes no ${type}.`,
      action: "Start another instance.",
      details: { accepts: [], state },
    },
  };
}

export function invalidPayload(
  subject: string,
  problems: readonly { readonly pointer: string; readonly detail: string }[],
): Refusal {
  const list = problems.map(({ pointer, detail }) => `${pointer || "/"}: ${detail}`);
  return {
    reason: "invalid-payload",
    problem: {
      code: "invalid-payload",
      message: `The ${subject} does not fit its schema: ${list.join("; ")}.`,
      action: "Correct the fields that are named and send it again.",
      problems: list,
      details: { errors: problems },
    },
  };
}

export function threw(
  instance: string,
  type: string,
  error: { readonly message: string },
): Refusal {
  return {
    reason: "poison",
    problem: {
      code: "event-threw",
      message: `${type} made the machine of ${instance} throw: ${error.message}`,
      action:
        "Mend the guard or expression that threw, or send another payload; nothing was changed.",
    },
  };
}
