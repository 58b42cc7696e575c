import { toErrorRecord } from "../../errors.ts";
import type { Headers } from "../../message.ts";
import type {
  ChildArrival,
  Outcome,
  RerunArrival,
  ResultArrival,
  TimerArrival,
} from "../arrival.ts";
import { jsonDigest, type WaitingEvent } from "../instance.ts";
import { policyOf } from "../registry.ts";
import { type Actor, type ChildRecord, withAttempt } from "../statechart/actor.ts";
import type { Origin } from "../step.ts";
import { retryTimer } from "../timer-id.ts";
import { forgetRun, requestRun } from "./carry-out.ts";
import { fail } from "./fail.ts";
import { keepEvent, standsStill } from "./hold.ts";
import { type StepOutcome, step, unaccepted } from "./offer.ts";
import type { Plan } from "./plan.ts";
import { rememberMessage, setAside } from "./refuse.ts";
import { actorOf, type Running, update } from "./running.ts";

/** Which attempt of which activity something is about. */
interface Attempt {
  readonly activity: string;
  readonly generation: number;
  readonly attempt: number;
}

/** An event of a child, with its origin. */
type KeptEvent = WaitingEvent & { readonly origin: Origin };

/** Takes the result of an activity: the first one wins; a failure leads to another attempt or to the machine. */
export function applyResult(plan: Plan, arrival: ResultArrival): void {
  const { key, activity, generation, outcome } = arrival;
  if (plan.draft(key).current?.sealed !== undefined) {
    return keepResult(plan, arrival, answerOf({ id: activity, generation }, outcome));
  }
  const found = findChild(plan, key, activity, generation);
  if (found === undefined) return stale(plan, key, activity);
  const { running, child } = found;
  // A late success of an attempt that was given up is still a success.
  if (arrival.outcome.kind === "error" && arrival.attempt !== child.attempt) {
    return stale(plan, arrival.key, arrival.activity);
  }
  rememberMessage(running.draft, arrival);
  conclude(running, child, arrival.outcome, arrival.trace);
}

/** Writes down in its outbox entry who runs an activity now, unless nobody wants it any more. */
export function applyRerun(plan: Plan, { key, seq, content }: RerunArrival): void {
  const { current } = plan.draft(key);
  const isWanted = current === undefined || current.runs?.[content.task.activity]?.seq === seq;
  if (isWanted) plan.outbox.push({ seq, content });
}

/** Takes what a child workflow tells its parent. */
export function applyChildNews(plan: Plan, arrival: ChildArrival): void {
  const { key, childId, generation, news } = arrival;
  const event = newsOf({ id: childId, generation }, news);
  const draft = plan.draft(key);
  if (draft.current?.sealed !== undefined) {
    keepEvent(plan, draft, event);
    return rememberMessage(draft, arrival);
  }
  const found = findChild(plan, key, childId, generation);
  if (found === undefined) return stale(plan, key, childId);
  rememberMessage(draft, arrival);
  const outcome = offer(found.running, event, arrival.trace);
  if (outcome !== "unhandled" || news.kind !== "event") return;
  const { type, payload, origin } = event;
  const sent = { ...arrival, kind: "event" as const, type, payload };
  unaccepted(found.running, { arrival: sent, type, origin, isKept: true });
}

/**
 * The code of the instance is not here. A result waits for it; a failure is dropped, since only the code knows
 * whether to try again: its lease, or the outbox entry of a local run, stays and leads to another attempt.
 */
function keepResult(plan: Plan, arrival: ResultArrival, event: KeptEvent): void {
  const draft = plan.draft(arrival.key);
  if (arrival.outcome.kind === "done") {
    keepEvent(plan, draft, event);
    return rememberMessage(draft, arrival);
  }
  if (arrival.receipt.seq !== undefined) plan.settled.delete(arrival.receipt.seq);
  stale(plan, arrival.key, arrival.activity);
}

/** An attempt gave no sign of life in time, or the activity's whole time is up. */
export function attemptOver(
  running: Running,
  over: Attempt & { readonly kind: "lease" | "retry" | "deadline"; readonly trace: Headers },
): void {
  const { plan, draft } = running;
  const found = findChild(plan, draft.key, over.activity, over.generation);
  if (found === undefined) return;
  const { child } = found;
  if (over.kind === "lease" && child.attempt !== over.attempt) return;
  const error = {
    name: "TimeoutError",
    message:
      over.kind === "lease"
        ? `attempt ${child.attempt} of ${child.id} gave no sign of life in time`
        : `${child.id} did not end in time`,
  };
  if (over.kind === "lease") return conclude(running, child, { kind: "error", error }, over.trace);
  forgetRun(running, { activity: child.id, ...child });
  plan.aborts.push(`${draft.key}#${child.generation}#${child.id}`);
  deliver(running, child, { kind: "error", error }, over.trace);
}

/** The wait between two attempts is over. */
export function runAgain(running: Running, arrival: TimerArrival, own: { activity: string }): void {
  const { plan, draft, definition } = running;
  const found = findChild(plan, draft.key, own.activity, arrival.generation);
  if (found === undefined) return stale(plan, draft.key, own.activity);
  const { child } = found;
  const { scheduleToCloseMs } = policyOf(definition, child.source);
  const since = draft.current?.runs?.[child.id]?.since ?? plan.context.now;
  requestRun(
    running,
    {
      key: draft.key,
      activity: child.id,
      generation: child.generation,
      source: child.source,
      definition: definition.workflow.version,
      attempt: child.attempt,
      input: child.input,
      ...(scheduleToCloseMs !== undefined && { deadline: since + scheduleToCloseMs }),
    },
    arrival.trace,
  );
}

function conclude(running: Running, child: ChildRecord, outcome: Outcome, trace: Headers): void {
  const { plan, draft } = running;
  const since = draft.current?.runs?.[child.id]?.since ?? plan.context.now;
  forgetRun(running, { activity: child.id, ...child });
  if (outcome.kind === "error") {
    const waitMs = nextWaitMs(running, child, outcome.error, since);
    if (waitMs !== undefined) return scheduleRetry(running, child, since, waitMs);
  }
  deliver(running, child, outcome, trace);
}

function scheduleRetry(running: Running, child: ChildRecord, since: number, waitMs: number): void {
  const { plan, draft } = running;
  const attempt = child.attempt + 1;
  const actor = withAttempt(actorOf(draft), child.id, attempt);
  update(draft, { actor, runs: { ...draft.current?.runs, [child.id]: { since } } });
  const name = retryTimer(child.id, attempt);
  plan.arm({ key: draft.key, generation: child.generation, name }, plan.context.now + waitMs);
}

/** How long to wait before another attempt, or undefined when the policy gives up. */
function nextWaitMs(
  running: Running,
  child: ChildRecord,
  thrown: unknown,
  since: number,
): number | undefined {
  const { retry, scheduleToCloseMs } = policyOf(running.definition, child.source);
  const { name, retryable } = toErrorRecord(thrown);
  if (child.attempt >= retry.maxAttempts) return undefined;
  if (retry.nonRetryable.includes(name) || retryable === false) return undefined;
  const full = Math.min(retry.maxMs, retry.initialMs * retry.factor ** (child.attempt - 1));
  const spread = 1 - retry.jitter * chance([running.draft.key, child.id, child.attempt]);
  const waitMs = Math.ceil(full * spread);
  const end = scheduleToCloseMs === undefined ? Infinity : since + scheduleToCloseMs;
  return running.plan.context.now + waitMs < end ? waitMs : undefined;
}

/** A number from 0 to 1 that differs between attempts but not between replays of one. */
function chance(of: readonly unknown[]): number {
  return Number.parseInt(Buffer.from(jsonDigest(of)).toString("hex").slice(0, 8), 16) / 0xffffffff;
}

function deliver(running: Running, child: ChildRecord, outcome: Outcome, trace: Headers): void {
  offer(running, answerOf(child, outcome), trace);
}

/** What a child's news is to the machine of its parent. */
function newsOf(
  child: Pick<ChildRecord, "id" | "generation">,
  news: ChildArrival["news"],
): KeptEvent {
  if (news.kind !== "event") return answerOf(child, news);
  const { type, ...payload } = news.event;
  return { type, payload, origin: { child: child.id, generation: child.generation } };
}

function answerOf(
  { id, generation }: Pick<ChildRecord, "id" | "generation">,
  outcome: Outcome,
): KeptEvent {
  const origin = { child: id, generation };
  if (outcome.kind === "done") {
    const payload = { output: outcome.output, actorId: id };
    return { type: `xstate.done.actor.${id}`, payload, origin };
  }
  const payload = { error: outcome.error, actorId: id };
  return { type: `xstate.error.actor.${id}`, payload, origin };
}

function offer(running: Running, event: KeptEvent, trace: Headers): StepOutcome["kind"] | "kept" {
  const { plan, draft } = running;
  if (standsStill(draft)) {
    keepEvent(plan, draft, event);
    return "kept";
  }
  const outcome = step(running, { ...event, arrival: { trace } });
  if (outcome.kind === "threw") fail(running, event, outcome.error);
  return outcome.kind;
}

function findChild(
  plan: Plan,
  key: string,
  id: string,
  generation: number,
): { readonly running: Running; readonly child: ChildRecord } | undefined {
  const draft = plan.draft(key);
  const definition = plan.definition(key, draft.current);
  const actor: Actor | undefined = draft.current?.actor;
  const child = actor?.children.find(
    (one) => one.id === id && one.generation === generation && one.ended !== true,
  );
  if (definition === undefined || child === undefined) return undefined;
  if (draft.current?.held?.some((event) => isEndOf(child, event)) === true) return undefined;
  return { running: { plan, draft, definition }, child };
}

/** How a child has ended is decided, though it waits until the instance goes on. */
function isEndOf({ id, generation }: ChildRecord, { type, origin }: WaitingEvent): boolean {
  if (origin === undefined || !("child" in origin)) return false;
  if (origin.child !== id || origin.generation !== generation) return false;
  return type === `xstate.done.actor.${id}` || type === `xstate.error.actor.${id}`;
}

function stale(plan: Plan, key: string, what: string): void {
  setAside(plan, plan.draft(key), { type: what }, "stale");
}
