import { toErrorRecord, WaybillError } from "../../errors.ts";
import { parseInstanceKey } from "../../message.ts";
import { validate } from "../../schema.ts";
import type { StartArrival } from "../arrival.ts";
import { type Instance, jsonDigest } from "../instance.ts";
import { limboTimer, retentionTimer } from "../timer-id.ts";
import { wire } from "../wire.ts";
import { advance, judge } from "./advance.ts";
import { stop } from "./apply-stop.ts";
import type { Draft } from "./draft.ts";
import { playHeld } from "./hold.ts";
import type { Plan } from "./plan.ts";
import {
  invalidPayload,
  type Refusal,
  refuse,
  setAside,
  threw,
  unknownWorkflow,
} from "./refuse.ts";
import type { Running } from "./running.ts";

/** Starts an instance, or answers for the one that is there already. */
export function applyStart(plan: Plan, arrival: StartArrival): void {
  const draft = plan.draft(arrival.key);
  const name = parseInstanceKey(arrival.key)?.workflow ?? "";
  const definition = plan.context.registry.find(name);
  if (definition === undefined) {
    return turnAway(plan, arrival, unknownWorkflow(arrival.key, plan.context.registry.names()));
  }
  const input = validate(definition.workflow.input, arrival.input);
  if (!input.ok) return turnAway(plan, arrival, invalidPayload("input", input.problems));
  if (draft.current?.actor !== undefined || draft.current?.sealed !== undefined) {
    if (!replaces(plan, draft, arrival)) return;
  }
  begin({ plan, draft, definition }, arrival, input.value);
}

/** A child that cannot start has failed, as far as its parent is concerned. */
function turnAway(plan: Plan, arrival: StartArrival, refusal: Refusal): void {
  const { parent, trace, messageId } = arrival;
  if (parent !== undefined) {
    const { childId, generation } = parent;
    const news = { kind: "error", error: toErrorRecord(new WaybillError(refusal.problem)) };
    const id = `${messageId ?? arrival.key}:refused`;
    plan.sendInternal(parent.key, {
      id,
      type: wire.child,
      trace,
      body: { childId, generation, news },
    });
  }
  refuse(plan, arrival, { type: arrival.type, body: bodyOf(arrival) }, refusal);
}

/** What the start would be sent with again. */
function bodyOf({ type, input, onConflict, parent }: StartArrival): unknown {
  return type === wire.start ? { input, onConflict, ...(parent && { parent }) } : input;
}

/** Decides between the instance that is there and the start; true when the old one has to go. */
function replaces(plan: Plan, draft: Draft, arrival: StartArrival): boolean {
  const existing = draft.current;
  if (existing === undefined) return true;
  if (arrival.onConflict === "use-existing" || isRepeated(existing, arrival)) {
    setAside(plan, draft, { type: arrival.type }, "duplicate");
    plan.reply(arrival, { outcome: "existing", instance: existing });
    return false;
  }
  if (arrival.onConflict === "terminate-existing") return true;
  const details = { instance: existing.key, version: existing.version };
  turnAway(plan, arrival, {
    reason: "not-accepted",
    problem: {
      code: "exists",
      message: `${existing.key} exists already.`,
      action: "Choose another id, or start with onConflict=use-existing or terminate-existing.",
      details,
    },
  });
  return false;
}

/** The same start once more: under the same message id, or with an input that is enough to tell. */
function isRepeated(existing: Instance, { onConflict, messageId, input }: StartArrival): boolean {
  const isSameMessage = messageId !== undefined && existing.startMessageId === messageId;
  if (!isSameMessage && onConflict !== "same-input") return false;
  return existing.inputDigest === jsonDigest(input);
}

function begin(running: Running, arrival: StartArrival, input: unknown): void {
  const { plan, draft, definition } = running;
  const { key, parent, trace, messageId } = arrival;
  // Generations go on where an earlier incarnation of this id stopped, so that its late timers stay stale.
  const generations = (draft.current?.actor ?? draft.current?.sealed?.actor)?.generations ?? 0;
  const { now } = plan.context;
  const trial = judge(
    definition,
    definition.stepper.start({ key, input, now, generations, ...(parent && { parent }) }),
  );
  if (trial.kind !== "fits") {
    const error = trial.kind === "threw" ? trial.error : { message: "it was refused" };
    return turnAway(plan, arrival, threw(key, "the start", error));
  }
  stop(plan, draft, { type: "waybill.stop", trace });
  plan.disarm({ key, generation: 0, name: removalTimer(draft) });
  draft.current = unborn(running, arrival);
  draft.touched = true;
  const id = messageId === undefined ? {} : { messageId };
  advance(running, trial.result, { type: "waybill.start", trace, ...id, payload: arrival.input });
  playHeld(running);
  if (arrival.isPrelude !== true)
    plan.reply(arrival, { outcome: "created", instance: draft.current });
}

/** What would end the wait for a start, or the time that an earlier incarnation is kept. */
function removalTimer({ current }: Draft): string {
  return (current?.actor ?? current?.sealed) === undefined ? limboTimer : retentionTimer;
}

/** The instance before its first step; events that came too early wait in it. */
function unborn({ plan, draft, definition }: Running, arrival: StartArrival): Instance {
  const { version = draft.before?.version ?? 0, held } = draft.current ?? {};
  const { createdAt = plan.context.now, terms = [] } = draft.current ?? {};
  const { key, messageId } = arrival;
  return {
    key,
    version,
    createdAt,
    updatedAt: plan.context.now,
    definition: definition.workflow.version,
    inputDigest: jsonDigest(arrival.input),
    ...(messageId !== undefined && { startMessageId: messageId }),
    ...(held !== undefined && { held }),
    trimAt: plan.context.now + 2 * plan.context.inboxWindowMs,
    terms,
  };
}
