import { toErrorRecord, WaybillError } from "../../errors.ts";
import type { ControlArrival } from "../arrival.ts";
import { type Instance, statusOf } from "../instance.ts";
import { stop } from "./apply-stop.ts";
import { tellParent } from "./carry-out.ts";
import type { Draft } from "./draft.ts";
import { playHeld } from "./hold.ts";
import { note } from "./note.ts";
import type { Plan } from "./plan.ts";
import { hasEnded, type Refusal, refuse, rememberMessage, unknownInstance } from "./refuse.ts";
import { type Cause, update } from "./running.ts";

/** Does to an instance what an operator asks for. */
export function applyControl(plan: Plan, arrival: ControlArrival): void {
  const draft = plan.draft(arrival.key);
  const objection = objectionTo(draft, arrival);
  if (objection !== undefined) {
    const { action } = arrival;
    return refuse(plan, arrival, { type: `waybill.${action}`, body: { action } }, objection);
  }
  rememberMessage(draft, arrival);
  act(plan, draft, arrival);
  plan.reply(arrival, { outcome: "applied", ...(draft.current && { instance: draft.current }) });
}

function act(plan: Plan, draft: Draft, { action, trace, messageId }: ControlArrival): void {
  const id = messageId === undefined ? {} : { messageId };
  const cause: Cause = { type: `waybill.${action}`, trace, ...id };
  if (action === "terminate") return terminate(plan, draft, cause);
  if (action === "suspend") update(draft, { suspended: true });
  else release(plan, draft);
  note(plan, draft, cause);
  const definition = plan.definition(draft.key, draft.current);
  if (definition !== undefined) playHeld({ plan, draft, definition });
}

/** Takes away what makes an instance stand still; if that was a failure, the event is no dead letter any more. */
function release(plan: Plan, draft: Draft): void {
  if (draft.current === undefined) return;
  const { failure, suspended: _, ...current } = draft.current;
  if (failure?.letter !== undefined) plan.forgetLetter(failure.letter);
  draft.current = current;
  draft.touched = true;
}

function terminate(plan: Plan, draft: Draft, cause: Cause): void {
  stop(plan, draft, cause);
  const { parent } = draft.current?.actor ?? draft.current?.sealed?.actor ?? {};
  if (parent === undefined) return;
  const error = new WaybillError({
    code: "terminated",
    message: `${draft.key} was terminated by an operator.`,
    action: "Decide what its work means without its result.",
  });
  const news = { kind: "error", error: { ...toErrorRecord(error), name: "Terminated" } } as const;
  tellParent(plan, draft, { parent, news, trace: cause.trace });
}

/** Why an instance cannot be dealt with in this way now. */
function objectionTo({ key, current }: Draft, { action }: ControlArrival): Refusal | undefined {
  if (current === undefined) return unknownInstance(key);
  const { actor, sealed } = current;
  const inside = actor?.snapshot ?? sealed?.actor;
  if (inside === undefined) return unknownInstance(key);
  if (inside.status !== "active") return hasEnded(current, `waybill.${action}`, inside.value);
  if (action === "terminate") return undefined;
  if (sealed !== undefined) {
    const { code, message, retryable } = sealed.why;
    const problem = { code, message, action: sealed.why.action, retryable };
    return { reason: "not-accepted", problem };
  }
  return standstillObjection(current, action);
}

function standstillObjection(
  current: Instance,
  action: Exclude<ControlArrival["action"], "terminate">,
): Refusal | undefined {
  const status = statusOf(current, "active");
  if (action === "retry") return status === "failed" ? undefined : refusals.retry(current.key);
  if (action === "resume") return status === "suspended" ? undefined : refusals.resume(current.key);
  if (status === "failed") return refusals.failed(current.key);
  return status === "suspended" ? refusals.suspend(current.key) : undefined;
}

const refusals = {
  retry: (key: string) =>
    inTheWay("not-failed", `${key} has not failed.`, "Nothing has to be retried."),
  resume: (key: string) =>
    inTheWay("not-suspended", `${key} is not suspended.`, "Nothing has to be resumed."),
  suspend: (key: string) =>
    inTheWay("suspended", `${key} is suspended already.`, "Resume it to go on."),
  failed: (key: string) =>
    inTheWay("failed", `${key} has failed and stands still.`, "Retry or terminate it."),
} as const;

function inTheWay(code: string, message: string, action: string): Refusal {
  return { reason: "not-accepted", problem: { code, message, action } };
}
