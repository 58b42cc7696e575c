import type { TimerArrival } from "../arrival.ts";
import { isOver } from "../instance.ts";
import { heldTimer, limboTimer, parseEngineTimer, retentionTimer } from "../timer-id.ts";
import { attemptOver, runAgain } from "./apply-activity.ts";
import { fail, giveUpAll } from "./fail.ts";
import { keepEvent, sealedRetryMs, standsStill } from "./hold.ts";
import { step } from "./offer.ts";
import type { Plan } from "./plan.ts";
import { setAside } from "./refuse.ts";
import { actorOf, type Running } from "./running.ts";

/** Lets a timer that is due do what it was armed for. A late one of an earlier visit does nothing. */
export function applyTimer(plan: Plan, arrival: TimerArrival): void {
  const draft = plan.draft(arrival.key);
  if (arrival.name === limboTimer) return endLimbo(plan, arrival);
  if (arrival.name === retentionTimer) return endRetention(plan, arrival);
  const definition = plan.definition(arrival.key, draft.current);
  if (draft.current?.sealed !== undefined) return keepForLater(plan, arrival);
  // What was kept has been played on the way here.
  if (arrival.name === heldTimer) return;
  if (definition === undefined || draft.current?.actor === undefined) return stale(plan, arrival);
  const running = { plan, draft, definition };
  const own = parseEngineTimer(arrival.name);
  if (own === undefined) return fire(running, arrival);
  if (own.kind === "retry") return runAgain(running, arrival, own);
  attemptOver(running, { ...own, generation: arrival.generation, trace: arrival.trace });
}

function fire(running: Running, arrival: TimerArrival): void {
  const { plan, draft } = running;
  const { name, generation } = arrival;
  const timer = actorOf(draft).timers.find(
    (one) => one.name === name && one.generation === generation,
  );
  if (timer === undefined) return stale(plan, arrival);
  const { due } = arrival.receipt.timerRow ?? { due: plan.context.now };
  plan.observations.push({ kind: "timer-fired", key: draft.key, lateMs: plan.context.now - due });
  const { type, ...payload } = timer.event;
  const origin = { timer: name, generation };
  if (standsStill(draft)) return keepEvent(plan, draft, { type, payload, origin });
  const outcome = step(running, { type, payload, origin, arrival });
  if (outcome.kind === "threw") fail(running, { type, payload, origin }, outcome.error);
}

function stale(plan: Plan, arrival: TimerArrival): void {
  setAside(plan, plan.draft(arrival.key), { type: arrival.name }, "stale");
}

/** Its instance cannot be run here: the row stays armed and comes round again. */
export function keepForLater(plan: Plan, { receipt, key }: TimerArrival): void {
  if (receipt.timerRow === undefined) return;
  plan.disarmed.delete(receipt.timerRow.id);
  plan.armed.set(receipt.timerRow.id, plan.context.now + sealedRetryMs);
  plan.observations.push({ kind: "set-aside", key, type: undefined, outcome: "held" });
}

/** Nobody has started the instance in time: what was kept for it goes to the operator. */
function endLimbo(plan: Plan, arrival: TimerArrival): void {
  const draft = plan.draft(arrival.key);
  const { current } = draft;
  if (current === undefined || (current.actor ?? current.sealed) !== undefined) return;
  giveUpAll(plan, draft, {
    reason: "missing-instance",
    detail: "no start came for it in time",
  });
  draft.current = undefined;
  draft.touched = true;
}

/** An instance that has been kept long enough after its end goes, unless it has begun anew. */
function endRetention(plan: Plan, arrival: TimerArrival): void {
  const draft = plan.draft(arrival.key);
  if (draft.current === undefined || !isOver(draft.current)) return stale(plan, arrival);
  draft.current = undefined;
  draft.touched = true;
  plan.observations.push({ kind: "removed", key: draft.key });
}
