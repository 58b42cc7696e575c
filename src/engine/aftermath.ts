import type { Outgoing } from "../transport.ts";
import type { ReplyTo } from "./arrival.ts";
import type { Committed } from "./committer.ts";
import { type Instance, isOver, stuckBecause } from "./instance.ts";
import type { InstanceCache } from "./instance-cache.ts";
import type { Plan, ReplyBody } from "./plan/plan.ts";
import { type EnginePorts, textOf } from "./ports.ts";
import { stuckAction, stuckTerm } from "./stuck.ts";
import { hasReached, viewOf } from "./view.ts";
import type { Watchers } from "./watchers.ts";
import { jsonMessage, wire } from "./wire.ts";

/** What of a partition a committed batch touches. */
export interface AftermathPorts {
  readonly ports: EnginePorts;
  readonly cache: InstanceCache;
  readonly watchers: Watchers;
  readonly send: (entries: Plan["outbox"]) => void;
  readonly abort: (run: string) => void;
  readonly arm: (due: number) => void;
}

/** Does what a committed batch has promised: effects go out, requesters are answered, watchers are told. */
export function aftermath(context: AftermathPorts, { plan, at }: Committed): void {
  remember(context, plan, at);
  for (const run of plan.aborts) context.abort(run);
  // A start that was called off again in the same batch is settled already.
  context.send(plan.outbox.filter(({ seq }) => !plan.settled.has(seq)));
  const dues = [...plan.armed.values()];
  if (dues.length > 0) context.arm(dues.reduce((left, right) => Math.min(left, right)));
  answer(context, plan);
  inform(context, plan);
  tellStuck(context, plan);
  act(context, plan);
  forgetEnded(context, plan);
}

function remember({ cache }: AftermathPorts, plan: Plan, at: number): void {
  for (const { key, current, before, touched } of plan.drafts.values()) {
    if (!touched) continue;
    const createdAt = before?.createdAt ?? at;
    cache.set(key, current && { ...current, createdAt, updatedAt: at });
  }
  cache.trim();
}

/** What has ended is rarely asked for again, and would only keep the garbage collector busy. */
function forgetEnded({ cache }: AftermathPorts, plan: Plan): void {
  for (const { key, current } of plan.drafts.values()) {
    if (current !== undefined && isOver(current)) cache.forget([key]);
  }
}

/** Each observation goes with the trace context of the step that it belongs to. */
function inform({ ports }: AftermathPorts, plan: Plan): void {
  let told = 0;
  for (const { span, to } of plan.spans.steps) {
    for (; told < to.observations; told += 1) {
      const observation = plan.observations[told];
      if (observation !== undefined) ports.observer.observe(observation, span.headers);
    }
  }
  for (const observation of plan.observations.slice(told)) ports.observer.observe(observation);
}

/** Found where an instance comes to rest, so that nobody has to look for it. */
function tellStuck({ ports }: AftermathPorts, plan: Plan): void {
  for (const { key, before, current } of plan.drafts.values()) {
    if (current?.actor === undefined || !current.terms.includes(stuckTerm)) continue;
    const definition = plan.definition(key, current);
    if (definition === undefined || before?.terms.includes(stuckTerm) === true) continue;
    const state = definition.stepper.shown(current.actor).text;
    const why = stuckBecause(current, definition) ?? "";
    const message = `${key} is stuck in ${state === "" ? "its only state" : state}. ${why} ${stuckAction}`;
    ports.observer.observe({ kind: "stuck", key, state, message });
  }
}

function answer(context: AftermathPorts, plan: Plan): void {
  const { cache, watchers, ports } = context;
  const outgoing: Outgoing[] = plan.replies.map(({ to, body }) => {
    // The times of the write are known only now.
    const stored = "instance" in body && body.instance ? cache.get(body.instance.key) : undefined;
    const at = stored && { createdAt: stored.createdAt, updatedAt: stored.updatedAt };
    const dated =
      "instance" in body && body.instance
        ? { ...body, instance: { ...body.instance, ...at } }
        : body;
    return replyMessage(context, to, dated);
  });
  for (const watch of plan.watches) watchers.add(watch);
  for (const key of watchers.isEmpty
    ? []
    : new Set([...plan.drafts.keys(), ...plan.watches.map((one) => one.key)])) {
    const instance = cache.get(key);
    if (instance === undefined) continue;
    const definition = plan.definition(key, instance);
    const reached = watchers.take(key, ({ until }) => hasReached(instance, definition, until));
    for (const { reply } of reached) {
      if (reply) outgoing.push(replyMessage(context, reply, { outcome: "reached", instance }));
    }
  }
  // Best effort: a requester whose answer is lost reads the store.
  if (outgoing.length > 0) void send(ports, outgoing);
}

async function send({ transport, fail }: EnginePorts, replies: readonly Outgoing[]): Promise<void> {
  fail?.("replying");
  await transport.publish(replies);
  fail?.("replied");
}

function replyMessage({ ports }: AftermathPorts, to: ReplyTo, body: ReplyBody): Outgoing {
  const { queue, correlationId } = to;
  const properties = { type: wire.reply, ...(correlationId !== undefined && { correlationId }) };
  const content = "instance" in body && body.instance ? viewed(ports, body.instance, body) : body;
  return { exchange: "", routingKey: queue, message: jsonMessage(properties, content) };
}

function viewed(ports: EnginePorts, instance: Instance, body: ReplyBody): object {
  const name = instance.key.slice(0, instance.key.indexOf("/"));
  const definition = ports.registry.find(name, instance.definition);
  return { ...body, instance: viewOf(instance, definition) };
}

/** Named actions of machines: once, after the commit, and never again if the process dies now. */
function act({ ports }: AftermathPorts, plan: Plan): void {
  for (const { key, type, run } of plan.actions) {
    const tell = (error: unknown) => {
      const message = `the action ${type} of ${key} threw: ${textOf(error)}`;
      ports.observer.observe({ kind: "trouble", where: "action", message });
    };
    try {
      void Promise.resolve(run()).catch(tell);
    } catch (error) {
      tell(error);
    }
  }
}
