import type { Headers, Message } from "../message.ts";
import type { Outgoing } from "../transport.ts";

/** Message types that only the engine's own processes may send to each other. */
export const wire = {
  start: "waybill.start",
  stop: "waybill.stop",
  /** What an operator wants of an instance, and of a dead letter. */
  control: "waybill.control",
  letter: "waybill.letter",
  watch: "waybill.watch",
  wake: "waybill.wake",
  /** The result of a queued activity. */
  result: "waybill.result",
  /** News of a child for its parent. */
  child: "waybill.child",
  /** An event of a parent for its child. */
  toChild: "waybill.to-child",
  /** Work for an activity worker. */
  activity: "waybill.activity",
  /** The answer to a requester. */
  reply: "waybill.reply",
  /** Tells on the topic exchange that a message was set aside. */
  deadLetter: "waybill.dead-letter",
} as const;

/** Refuse the event unless the instance has this version. */
export const ifVersionHeader = "x-waybill-if-version";

/** Set by the ingress on what outsiders have published: it is forwarded under the engine's own user. */
export const outsiderHeader = "x-waybill-outsider";

/** One run of an activity, as it is asked for. */
export interface ActivityTask {
  readonly key: string;
  readonly activity: string;
  readonly generation: number;
  readonly source: string;
  /** The version of the workflow that asks. */
  readonly definition: string;
  readonly attempt: number;
  readonly input: unknown;
  /** When the activity must have ended with all its attempts, in milliseconds of the store's clock. */
  readonly deadline?: number;
}

/** The limits of a task that goes to a worker, who does not have the workflow's policy. */
export interface WorkLimits {
  /** How long the lease holds without a heartbeat. */
  readonly leaseMs: number;
  readonly startToCloseMs: number;
  readonly heartbeatMs?: number;
}

/** What is written down before it is tried, since it may have ended an earlier owner. */
export interface Trial {
  /** The process that tries. */
  readonly by: string;
  /** The names of what it tries. */
  readonly trying: readonly string[];
  /** How many processes have ended over what is still to be tried, by name. */
  readonly deaths: Readonly<Record<string, number>>;
}

/** A local activity to run. */
export interface RunContent {
  readonly kind: "run";
  readonly task: ActivityTask;
  readonly trace: Headers;
  /** Set once an earlier owner has left it: the process that runs it now, if any does, and how many have ended over it. */
  readonly tried?: { readonly by?: string; readonly deaths: number };
}

/** What an outbox entry asks for: a message to publish, or a local activity to run; or what it warns of. */
export type OutboxContent =
  | { readonly kind: "publish"; readonly outgoing: Outgoing }
  | RunContent
  | { readonly kind: "trial"; readonly trial: Trial };

const untraced: Headers = Object.freeze({});
const traceHeaders = ["traceparent", "tracestate", "baggage"] as const;

/** Only the W3C trace context of a message's headers. */
export function traceOf(headers: Headers | undefined): Headers {
  let found: Record<string, string> | undefined;
  for (const name of traceHeaders) {
    const value = headers?.[name];
    if (value === undefined) continue;
    found ??= {};
    found[name] = value;
  }
  return found ?? untraced;
}

/** The key and `version/n` that a correlation id of ours (`workflow/id/version/n`) names. */
export function parseEffectId(
  text: string | undefined,
): { readonly key: string; readonly effect: string } | undefined {
  if (text === undefined) return undefined;
  const [, key, effect] = /^([^/]+\/[^/]+)\/(\d+\/\d+)$/.exec(text) ?? [];
  return key === undefined || effect === undefined ? undefined : { key, effect };
}

/** A message with a JSON body. */
export function jsonMessage(fields: Omit<Message, "body">, body: unknown): Message {
  return { ...fields, body: JSON.stringify(body) ?? "null" };
}
