import { type ErrorRecord, toErrorRecord } from "../../errors.ts";
import type { Headers } from "../../message.ts";
import { validate } from "../../schema.ts";
import { traceIdOf } from "../../tracer.ts";
import { type Instance, tracesOf, type WaitingEvent } from "../instance.ts";
import type { Definition } from "../registry.ts";
import type { Actor } from "../statechart/actor.ts";
import type { Origin, StepResult } from "../step.ts";
import { carryOut } from "./carry-out.ts";
import { fail, giveUpAll } from "./fail.ts";
import { keepStep } from "./note.ts";
import { actorOf, type Cause, type Running, update } from "./running.ts";
import { sendWaiting } from "./send-waiting.ts";

type Applied = Extract<StepResult, { kind: "applied" }>;

/** What an event would do to an instance; nothing is taken over yet. */
export type Trial =
  | { readonly kind: "fits"; readonly result: Applied }
  | { readonly kind: "unhandled" }
  | { readonly kind: "threw"; readonly error: ErrorRecord };

/** Lets the machine see an event. */
export function tryEvent(
  { plan, draft, definition }: Running,
  event: {
    readonly type: string;
    readonly payload: Readonly<Record<string, unknown>>;
    readonly origin?: Origin;
  },
): Trial {
  const { type, payload, origin } = event;
  const { now } = plan.context;
  const result = definition.stepper.apply(actorOf(draft), { ...payload, type }, now, origin);
  if (result.kind === "refused" && result.reason !== "threw") return { kind: "unhandled" };
  return judge(definition, result);
}

/** Says whether the result of a step may be taken over. */
export function judge(definition: Definition, result: StepResult): Trial {
  if (result.kind === "refused") {
    return { kind: "threw", error: result.error ?? toErrorRecord("it was refused") };
  }
  if (!result.handled && !result.changed) return { kind: "unhandled" };
  const objection = badEmit(definition, result) ?? badAttributes(definition, result.actor);
  if (objection !== undefined) return { kind: "threw", error: toErrorRecord(objection) };
  return { kind: "fits", result };
}

/** Takes over the result of a step: next version, its effects, its history, then whatever waited for it. */
export function advance(running: Running, result: Applied, cause: Cause): void {
  take(running, result, cause);
  settleWaiting(running, cause.trace);
}

function take(running: Running, result: Applied, cause: Cause): void {
  const { plan, draft, definition } = running;
  const from = textOf(definition, draft.current?.actor);
  const version = (draft.current?.version ?? 0) + 1;
  update(draft, { actor: result.actor, version, ...traced(running, cause) });
  draft.effects = 0;
  const to = textOf(definition, result.actor);
  const state: unknown = result.actor.snapshot.value;
  keepStep(running, { version, cause, state });
  plan.observations.push(
    cause.type === "waybill.start"
      ? { kind: "started", key: draft.key, state: to }
      : { kind: "applied", key: draft.key, type: cause.type, from, to, version },
  );
  const raised = carryOut(running, result.effects, cause);
  for (const event of raised) raise(running, event, cause);
}

/** An event that the machine has sent to itself: an ordinary one of the next step. */
function raise(running: Running, event: { readonly type: string }, cause: Cause): void {
  const { type, ...payload } = event;
  const { draft } = running;
  if (draft.current?.failure !== undefined) {
    return update(draft, { held: [...(draft.current.held ?? []), { type, payload }] });
  }
  const trial = tryEvent(running, { type, payload });
  if (trial.kind === "fits")
    return take(running, trial.result, { type, trace: cause.trace, payload });
  if (trial.kind === "threw") fail(running, { type, payload, trace: cause.trace }, trial.error);
}

/** What a later step that nothing else leads back from, such as a timer's, is traced to. */
function traced({ plan, draft }: Running, { trace }: Cause): Pick<Instance, "traced"> {
  const traceId = traceIdOf(trace);
  if (traceId === undefined) return {};
  const first = tracesOf(draft.current)[0] ?? traceId;
  return { traced: { headers: trace, at: plan.context.now, first } };
}

function textOf(definition: Definition, actor: Actor | undefined): string {
  return actor === undefined ? "" : definition.stepper.shown(actor).text;
}

/** Offers deferred events again, in order, until none of them is taken. */
function settleWaiting(running: Running, trace: Headers): void {
  const { plan, draft } = running;
  if (plan.context.isAlone && draft.current?.deferred !== undefined) {
    update(draft, { deferred: sendWaiting(running, draft.current.deferred) });
  }
  for (;;) {
    const waiting = draft.current?.deferred;
    if (waiting === undefined || waiting.length === 0 || draft.current?.failure !== undefined)
      return;
    if (actorOf(draft).snapshot.status !== "active") {
      const detail = "it was deferred and the instance has ended";
      return giveUpAll(plan, draft, { reason: "ended", detail });
    }
    if (!waiting.some((event) => offerAgain(running, event, trace))) return;
  }
}

/** True when a deferred event waits no longer. */
function offerAgain(running: Running, event: WaitingEvent, trace: Headers): boolean {
  const { draft } = running;
  const trial = tryEvent(running, event);
  if (trial.kind === "unhandled") return false;
  update(draft, { deferred: (draft.current?.deferred ?? []).filter((one) => one !== event) });
  if (trial.kind === "threw") fail(running, event, trial.error);
  else take(running, trial.result, { ...event, trace: deferredTrace(running, event, trace) });
  return true;
}

/** With a tracer, what an old event leads to belongs to the step that let it through, not to a trace long over. */
function deferredTrace({ plan }: Running, event: WaitingEvent, trace: Headers): Headers {
  return plan.context.tracer.isActive ? trace : (event.trace ?? trace);
}

/** An emitted event whose payload does not fit its declared schema, as one sentence. */
function badEmit(definition: Definition, { effects }: Applied): string | undefined {
  for (const effect of effects) {
    if (effect.kind !== "emit") continue;
    const { type, ...payload } = effect.event;
    const rule = definition.workflow.emits.get(type);
    if (rule === undefined) continue;
    const checked = validate(rule.schema, payload);
    if (checked.ok) continue;
    const [first] = checked.problems;
    return `it emits a ${type} that does not fit its schema (${first?.pointer}: ${first?.detail})`;
  }
  return undefined;
}

/** Attributes are computed at each write, where it is too late to turn an event away. */
function badAttributes({ workflow }: Definition, actor: Actor): string | undefined {
  try {
    workflow.attributes?.(actor.snapshot.context);
    return undefined;
  } catch (error) {
    return `its attributes throw (${toErrorRecord(error).message})`;
  }
}
