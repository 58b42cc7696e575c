import type { Arrival } from "../arrival.ts";
import { applyChildNews, applyRerun, applyResult } from "./apply-activity.ts";
import { applyControl } from "./apply-control.ts";
import { applyEvent } from "./apply-event.ts";
import { applyLetter } from "./apply-letter.ts";
import { applyStart } from "./apply-start.ts";
import { applyStop } from "./apply-stop.ts";
import { applyTimer } from "./apply-timer.ts";
import { playHeld } from "./hold.ts";
import type { Plan } from "./plan.ts";
import { refuse, setAside } from "./refuse.ts";
import { traceStep } from "./trace-step.ts";

/** Works one arrival into the plan. It never throws for anything that a message or a machine does. */
export function apply(plan: Plan, arrival: Arrival): void {
  const { seq, timerRow } = arrival.receipt;
  if (seq !== undefined) plan.settled.add(seq);
  if (timerRow !== undefined) plan.disarmed.add(timerRow.id);
  if (arrival.kind === "watch") plan.watches.push(arrival);
  else if (arrival.kind === "rerun") applyRerun(plan, arrival);
  else traceStep(plan, arrival, applyTraced);
}

function applyTraced(plan: Plan, arrival: Exclude<Arrival, { kind: "watch" | "rerun" }>): void {
  if (arrival.kind === "unfit") return turnAway(plan, arrival);
  if (arrival.kind === "letter") return applyLetter(plan, arrival);
  if (isRepeated(plan, arrival)) return;
  if (isTooOld(plan, arrival)) return;
  catchUp(plan, arrival.key);
  dispatch(plan, arrival);
}

/** Events that were kept while the code of the instance was not here come before anything new. */
function catchUp(plan: Plan, key: string): void {
  const draft = plan.draft(key);
  if (draft.current?.actor === undefined || draft.current.held === undefined) return;
  const definition = plan.definition(key, draft.current);
  if (definition !== undefined) playHeld({ plan, draft, definition });
}

type Addressed = Exclude<Arrival, { readonly kind: "unfit" | "watch" | "rerun" | "letter" }>;

function dispatch(plan: Plan, arrival: Addressed): void {
  switch (arrival.kind) {
    case "start":
      return applyStart(plan, arrival);
    case "event":
      return applyEvent(plan, arrival);
    case "timer":
      return applyTimer(plan, arrival);
    case "result":
      return applyResult(plan, arrival);
    case "child":
      return applyChildNews(plan, arrival);
    case "control":
      return applyControl(plan, arrival);
    case "stop":
      return applyStop(plan, arrival);
  }
}

function turnAway(plan: Plan, arrival: Extract<Arrival, { kind: "unfit" }>): void {
  refuse(plan, arrival, arrival, {
    reason: arrival.reason,
    problem: {
      code: arrival.reason,
      message: `The message cannot be taken: ${arrival.detail.replace(/\.$/, "")}.`,
      action: "Send JSON with an event type, for an instance that is named.",
    },
  });
}

/** Handled in this batch already, or known to the inbox as the store has said. */
function isRepeated(plan: Plan, arrival: Arrival): boolean {
  const { messageId } = arrival;
  if (messageId === undefined) return false;
  const draft = plan.draft(arrival.key);
  const inBatch = draft.inbox.some(({ id }) => id === messageId);
  if (!inBatch && !names(plan.context.handled, arrival)) return false;
  // A repeated start is answered from the record like the first one.
  if (arrival.kind === "start") return false;
  const type = "type" in arrival ? arrival.type : arrival.kind;
  setAside(plan, draft, { messageId, type }, "duplicate");
  const { current } = draft;
  plan.reply(arrival, { outcome: "duplicate", ...(current && { instance: current }) });
  return true;
}

function names(refused: ReadonlySet<string>, { key, messageId = "" }: Arrival): boolean {
  return refused.size > 0 && refused.has(`${key} ${messageId}`);
}

function isTooOld(plan: Plan, arrival: Arrival): boolean {
  if (!names(plan.context.tooOld, arrival)) return false;
  const { type, body = "" } = arrival.message ?? {};
  refuse(
    plan,
    arrival,
    { type, body },
    {
      reason: "too-old",
      problem: {
        code: "too-old",
        message:
          "The message is older than the time for which handled messages are remembered, so it may have been applied.",
        action: "Send it again under a new id if it is still meant.",
      },
    },
  );
  return true;
}
