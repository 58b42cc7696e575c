import { type Headers, instanceHeader, parseInstanceKey } from "../../message.ts";
import type { Outcome } from "../arrival.ts";
import { jsonDigest } from "../instance.ts";
import { policyOf } from "../registry.ts";
import type { Parent } from "../statechart/actor.ts";
import type { Effect } from "../statechart/effects.ts";
import { deadlineTimer, leaseTimer, retryTimer } from "../timer-id.ts";
import { type ActivityTask, jsonMessage, type WorkLimits, wire } from "../wire.ts";
import type { Draft } from "./draft.ts";
import type { Plan } from "./plan.ts";
import { actorOf, type Cause, type Running, update } from "./running.ts";

type Kind<Name extends Effect["kind"]> = Effect & { readonly kind: Name };
type Started = Kind<"start-activity" | "start-child">;
type Stopped = Kind<"stop-activity" | "stop-child">;

/** A time that no timer reaches: 8.64e15 ms is the last one that a date can hold. */
const never = 8.64e15;
/** A worker that enforces its own limits gets this much time to say so before its lease runs out. */
const leaseMarginMs = 1_000;
/** Requests that wait for an untyped reply, at most; older ones are forgotten first. */
const maxOpenRequests = 32;

/** Turns what a transition asked for into promises of the plan; answers events that the machine sent to itself. */
export function carryOut(
  running: Running,
  effects: readonly Effect[],
  cause: Cause,
): readonly { readonly type: string }[] {
  const raised: { readonly type: string }[] = [];
  for (const effect of effects) {
    if (effect.kind === "raise-self") raised.push(effect.event);
    else carryOutOne(running, effect, cause);
  }
  return raised;
}

function carryOutOne(
  running: Running,
  effect: Exclude<Effect, { kind: "raise-self" }>,
  cause: Cause,
): void {
  const { plan, draft } = running;
  switch (effect.kind) {
    case "emit":
      return emit(running, effect, cause);
    case "arm":
      return plan.arm({ ...effect, key: draft.key }, effect.due);
    case "disarm":
      return plan.disarm({ ...effect, key: draft.key });
    case "start-activity":
      return startActivity(running, effect, cause);
    case "stop-activity":
      return stopActivity(running, effect);
    case "start-child":
      return startChild(running, effect, cause);
    case "stop-child":
      return stopChild(running, effect, cause);
    case "send":
      return send(running, effect, cause);
    case "action":
      plan.actions.push({ key: draft.key, type: effect.type, run: effect.run });
      return;
    case "log":
      return;
    case "end":
      return end(running, effect, cause);
  }
}

/** The next effect id: `workflow/id/version/n`, stored with the effect and the same on every re-publish. */
function nextEffect({ draft }: Pick<Running, "draft">): {
  readonly id: string;
  readonly local: string;
} {
  draft.effects += 1;
  const local = `${draft.current?.version ?? 0}/${draft.effects}`;
  return { id: `${draft.key}/${local}`, local };
}

function emit(running: Running, { event }: Kind<"emit">, cause: Cause): void {
  const { plan, draft, definition } = running;
  const { type, ...payload } = event;
  const effect = nextEffect(running);
  const reply = definition.workflow.emits.get(type)?.reply;
  if (reply !== undefined) remember(running, effect.local, reply);
  plan.promise({
    kind: "publish",
    outgoing: {
      exchange: "events",
      routingKey: type,
      message: {
        id: effect.id,
        type,
        correlationId: effect.id,
        replyTo: plan.ownQueue,
        timestamp: Math.floor(plan.context.now),
        appId: plan.context.names.prefix,
        headers: { ...cause.trace, [instanceHeader]: draft.key },
        body: JSON.stringify(payload),
      },
    },
  });
}

function remember({ draft }: Running, request: string, reply: string): void {
  const open = Object.entries(draft.current?.requests ?? {}).slice(1 - maxOpenRequests);
  update(draft, { requests: { ...Object.fromEntries(open), [request]: reply } });
}

function startActivity(running: Running, effect: Started, cause: Cause): void {
  const { plan, draft, definition } = running;
  const policy = policyOf(definition, effect.source);
  const since = plan.context.now;
  const deadline =
    policy.scheduleToCloseMs === undefined ? undefined : since + policy.scheduleToCloseMs;
  update(draft, { runs: { ...draft.current?.runs, [effect.id]: { since } } });
  requestRun(
    running,
    {
      key: draft.key,
      activity: effect.id,
      generation: effect.generation,
      source: effect.source,
      definition: definition.workflow.version,
      attempt: 1,
      input: effect.input,
      ...(deadline !== undefined && { deadline }),
    },
    cause.trace,
  );
}

/** Asks for one attempt of an activity: from the owner itself when local, else from the workers. */
export function requestRun(
  running: Running,
  task: ActivityTask,
  trace: Readonly<Record<string, string>>,
): void {
  const { plan, draft, definition } = running;
  const policy = policyOf(definition, task.source);
  if (policy.local) {
    const seq = plan.promise({ kind: "run", task, trace });
    const since = draft.current?.runs?.[task.activity]?.since ?? plan.context.now;
    update(draft, { runs: { ...draft.current?.runs, [task.activity]: { seq, since } } });
    return;
  }
  const { key, generation, activity, attempt } = task;
  // Armed without an end until a worker takes the task and moves it: the row says that the work is wanted.
  plan.arm({ key, generation, name: leaseTimer(activity, attempt) }, never);
  if (task.deadline !== undefined) {
    plan.arm({ key, generation, name: deadlineTimer(activity) }, task.deadline);
  }
  const id = `${key}/${activity}/${generation}#${attempt}`;
  const { startToCloseMs, heartbeatMs } = policy;
  const leaseMs = (heartbeatMs ?? startToCloseMs) + leaseMarginMs;
  const limits: WorkLimits = {
    leaseMs,
    startToCloseMs,
    ...(heartbeatMs !== undefined && { heartbeatMs }),
  };
  plan.promise({
    kind: "publish",
    outgoing: {
      exchange: "",
      routingKey: plan.context.names.activity(definition.workflow.name, task.source),
      message: jsonMessage(
        { id, type: wire.activity, headers: { ...trace, [instanceHeader]: key } },
        { ...task, ...limits },
      ),
    },
  });
}

function stopActivity(running: Running, effect: Stopped): void {
  const { plan, draft } = running;
  const { id: activity, generation } = effect;
  const attempt =
    draft.before?.actor?.children.find((child) => child.id === activity)?.attempt ?? 1;
  forgetRun(running, { activity, generation, attempt });
  plan.aborts.push(`${draft.key}#${generation}#${activity}`);
}

/** Removes every trace of an attempt: its outbox entry and its timers. */
export function forgetRun(
  { plan, draft }: Pick<Running, "plan" | "draft">,
  run: { readonly activity: string; readonly generation: number; readonly attempt: number },
): void {
  const { activity, generation, attempt } = run;
  const { [activity]: known, ...runs } = draft.current?.runs ?? {};
  update(draft, { runs });
  // An attempt that runs in the owner has no timers.
  if (known?.seq !== undefined) return void plan.settled.add(known.seq);
  for (const name of [
    leaseTimer(activity, attempt),
    retryTimer(activity, attempt + 1),
    retryTimer(activity, attempt),
    deadlineTimer(activity),
  ]) {
    plan.disarm({ key: draft.key, generation, name });
  }
}

/** The instance that a child workflow runs as: its id names parent, child and generation. */
function childKey(
  running: Running,
  child: { id: string; generation: number; source: string },
): string {
  const parent = parseInstanceKey(running.draft.key);
  const workflow = running.definition.workflow.children.get(child.source)?.name ?? child.source;
  const id = `${parent?.id ?? ""}:${child.id}:${child.generation}`;
  const fits = /^[A-Za-z0-9._:-]{1,128}$/.test(id);
  return `${workflow}/${fits ? id : `child-${jsonDigest([running.draft.key, child.id, child.generation])}`}`;
}

function startChild(running: Running, effect: Started, cause: Cause): void {
  const { plan, draft } = running;
  const { id: childId, generation } = effect;
  plan.sendInternal(childKey(running, effect), {
    id: nextEffect(running).id,
    type: wire.start,
    trace: cause.trace,
    body: { input: effect.input, parent: { key: draft.key, childId, generation } },
  });
}

function stopChild(running: Running, effect: Stopped, cause: Cause): void {
  running.plan.sendInternal(childKey(running, effect), {
    id: nextEffect(running).id,
    type: wire.stop,
    trace: cause.trace,
    body: {},
  });
}

function send(running: Running, effect: Kind<"send">, cause: Cause): void {
  const { id } = nextEffect(running);
  const { trace } = cause;
  const actor = actorOf(running.draft);
  if (effect.to === "#parent") {
    if (actor.parent === undefined) return;
    const { key, childId, generation } = actor.parent;
    const news = { kind: "event", event: effect.event };
    const body = { childId, generation, news };
    return running.plan.sendInternal(key, { id, type: wire.child, trace, body });
  }
  const child = actor.children.find((one) => one.id === effect.to);
  if (child === undefined || child.kind !== "child") return;
  const key = childKey(running, child);
  running.plan.sendInternal(key, { id, type: wire.toChild, trace, body: effect.event });
}

function end(running: Running, effect: Kind<"end">, cause: Cause): void {
  const { plan, draft, definition } = running;
  const actor = actorOf(draft);
  const { status, output, error } = effect;
  const state = JSON.stringify(definition.stepper.view(actor).value);
  plan.observations.push({ kind: "ended", key: draft.key, status, state, output });
  if (actor.parent === undefined || status === "stopped") return;
  const news = status === "done" ? ({ kind: "done", output } as const) : undefined;
  const { trace } = cause;
  tellParent(plan, draft, { parent: actor.parent, news: news ?? { kind: "error", error }, trace });
}

/** Tells the parent of a child workflow how that has ended. */
export function tellParent(
  plan: Plan,
  draft: Draft,
  told: { readonly parent: Parent; readonly news: Outcome; readonly trace: Headers },
): void {
  const { parent, news, trace } = told;
  const { key, childId, generation } = parent;
  const body = { childId, generation, news };
  plan.sendInternal(key, { id: nextEffect({ draft }).id, type: wire.child, trace, body });
}
