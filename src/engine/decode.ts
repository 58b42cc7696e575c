import { deepestJson, readJsonText } from "../json-text.ts";
import {
  instanceHeader,
  isReservedType,
  type Message,
  parseInstanceKey,
  republishedHeader,
} from "../message.ts";
import type { DeadLetterReason } from "../observer.ts";
import type { Delivery } from "../transport.ts";
import type { Arrival, EventArrival, StartArrival, UnfitArrival } from "./arrival.ts";
import { readInternal } from "./decode-internal.ts";
import type { Limits } from "./limits.ts";
import type { Registry } from "./registry.ts";
import { ifVersionHeader, outsiderHeader, parseEffectId, traceOf, wire } from "./wire.ts";

/** What reading a message needs to know. */
export interface DecodeContext {
  readonly registry: Registry;
  /** The user that the broker stamps on the engine's own messages. */
  readonly trustedUser: string;
  readonly limits: Pick<Limits, "bodyBytes">;
  /** Whether an instance belongs to the partition whose queue this is. */
  readonly isOurs: (key: string) => boolean;
}

/** The engine's own bodies wrap what outsiders and activities have given. */
const deepestOwn = 2 * deepestJson;

type Payload = Readonly<Record<string, unknown>>;
type Common = Pick<
  EventArrival,
  "receipt" | "message" | "messageId" | "bornAt" | "reply" | "trace" | "isInternal"
>;

/** Reads a delivery of a partition queue. It never throws: what cannot be understood is `unfit`. */
export function decode(delivery: Delivery, context: DecodeContext): Arrival {
  const { message } = delivery;
  const common = commonOf(delivery, context.trustedUser);
  const unfit = (reason: DeadLetterReason, detail: string): UnfitArrival => ({
    ...common,
    kind: "unfit",
    key: findKey(message, undefined, context.registry) ?? "",
    type: message.type,
    reason,
    detail,
    body: message.body.slice(0, context.limits.bodyBytes),
  });
  const excess = tooLarge(message, context);
  if (excess !== undefined) return unfit(...excess);
  const isOwn = isTrusted(message, context.trustedUser);
  const body = readObject(message.body, isOwn ? deepestOwn : deepestJson);
  if (typeof body === "string") return unfit("undecodable", body);
  const forged = isOwn ? undefined : forgery(message);
  if (forged !== undefined) return unfit("reserved-type", forged);
  const read = readAddressed(common, message, body, context);
  return "kind" in read ? read : unfit(...read);
}

type Misfit = readonly [DeadLetterReason, string];

function readAddressed(
  common: Common,
  message: Message,
  body: Payload,
  { registry, isOurs }: DecodeContext,
): Arrival | Misfit {
  const { type = "" } = message;
  const key = findKey(message, body, registry);
  if (type === wire.letter) {
    return readInternal({ ...common, key: key ?? "" }, type, body) ?? notItself(type);
  }
  if (key === undefined) {
    return ["no-instance", `nothing says which instance it is for (${instanceHeader})`];
  }
  if (!isOurs(key)) {
    return ["no-instance", `${key} belongs to another partition than this queue's`];
  }
  if (!isReservedType(type)) return readEvent({ ...common, key }, message, body, registry);
  const internal = readInternal({ ...common, key }, type, body);
  return internal ?? notItself(type);
}

function notItself(type: string): Misfit {
  return ["reserved-type", `a partition does not understand this as ${type}`];
}

function tooLarge({ body }: Message, { limits }: DecodeContext): Misfit | undefined {
  // A character takes three bytes of UTF-8 at most, so only a long text has to be measured.
  if (body.length <= limits.bodyBytes / 3) return undefined;
  const sizeBytes = Buffer.byteLength(body);
  if (sizeBytes <= limits.bodyBytes) return undefined;
  return ["too-large", `${sizeBytes} bytes; the limit is ${limits.bodyBytes}`];
}

type Draft<Fields> = { -readonly [Key in keyof Fields]: Fields[Key] };

/** Filled step by step: it is made for every message, and spreading costs more. */
function commonOf(delivery: Delivery, trustedUser: string): Common {
  const { message } = delivery;
  const { correlationId, timestamp, replyTo, type = "" } = message;
  const common: Draft<Common> = { receipt: { delivery }, message, trace: traceOf(message.headers) };
  if (isReservedType(type) && isTrusted(message, trustedUser)) common.isInternal = true;
  const messageId = message.id ?? answerIdOf(correlationId);
  if (messageId !== undefined) common.messageId = messageId;
  if (timestamp !== undefined) common.bornAt = timestamp;
  if (replyTo !== undefined) {
    common.reply = { queue: replyTo, ...(correlationId !== undefined && { correlationId }) };
  }
  return common;
}

/** Only correlation ids of ours are unique: another service may use one for many messages. */
function answerIdOf(correlationId: string | undefined): string | undefined {
  return parseEffectId(correlationId) === undefined ? undefined : `re:${correlationId}`;
}

/** True for what the engine's own processes have published on their own account. */
function isTrusted({ userId, headers }: Message, trustedUser: string): boolean {
  return userId === trustedUser && headers?.[outsiderHeader] === undefined;
}

/** A service that copies all headers of a request into its answer does no wrong. */
const harmless: ReadonlySet<string> = new Set([instanceHeader, outsiderHeader, republishedHeader]);

/** What a wake-up of ours is for, in milliseconds of the store's clock; undefined for any other message. */
export function wakeUpIn(message: Message, trustedUser: string): number | undefined {
  if (message.type !== wire.wake || !isTrusted(message, trustedUser)) return undefined;
  const due = parseObject(message.body)?.["due"];
  return typeof due === "number" ? due : undefined;
}

/** What an outsider's message claims that only the engine may claim. */
function forgery(message: Message): string | undefined {
  if (message.type !== undefined && isReservedType(message.type)) {
    return `the type ${message.type} is the engine's own`;
  }
  for (const name in message.headers) {
    if (!name.startsWith("x-waybill-") || harmless.has(name)) continue;
    return `the header ${name} is the engine's own`;
  }
  return undefined;
}

/** The first that applies: the header, a correlation id of ours, `correlate`, a start type's `instanceId`. */
export function findKey(
  message: Message,
  payload: Payload | undefined,
  registry: Registry,
): string | undefined {
  const named = message.headers?.[instanceHeader];
  if (named !== undefined) return parseInstanceKey(named) === undefined ? undefined : named;
  const requested = parseEffectId(message.correlationId)?.key;
  if (requested !== undefined && parseInstanceKey(requested) !== undefined) return requested;
  if (payload === undefined || message.type === undefined) return undefined;
  return findByPayload(message.type, payload, registry);
}

function findByPayload(type: string, payload: Payload, registry: Registry): string | undefined {
  for (const name of registry.names()) {
    const workflow = registry.find(name)?.workflow;
    if (workflow === undefined) continue;
    const id =
      guarded(() => workflow.events.get(type)?.correlate?.(payload)) ??
      (workflow.startedBy.includes(type)
        ? guarded(() => workflow.instanceId?.(payload))
        : undefined);
    if (id === undefined) continue;
    const key = `${name}/${id}`;
    if (parseInstanceKey(key) !== undefined) return key;
  }
  return undefined;
}

/** User code on unchecked input may throw; then it names no instance. */
function guarded(find: () => string | undefined): string | undefined {
  try {
    const id = find();
    return typeof id === "string" ? id : undefined;
  } catch {
    return undefined;
  }
}

function readEvent(
  common: Common & { key: string },
  message: Message,
  payload: Payload,
  registry: Registry,
): StartArrival | EventArrival {
  const name = common.key.slice(0, common.key.indexOf("/"));
  const { type } = message;
  if (type !== undefined && registry.find(name)?.workflow.startedBy.includes(type) === true) {
    return { ...common, kind: "start", type, input: payload, onConflict: "use-existing" };
  }
  const request = parseEffectId(message.correlationId)?.effect;
  const ifVersion = message.headers?.[ifVersionHeader];
  return {
    ...common,
    kind: "event",
    type,
    payload,
    ...(request !== undefined && { request }),
    ...(ifVersion !== undefined && { ifVersion: Number(ifVersion) }),
  };
}

/** The JSON object in a body, `{}` for an empty one; undefined when it holds anything else. */
export function parseObject(text: string): Payload | undefined {
  const body = readObject(text, deepestOwn);
  return typeof body === "string" ? undefined : body;
}

/** The JSON object in a body, `{}` for an empty one, or what is wrong with it. */
function readObject(text: string, levels: number): Payload | string {
  if (text === "") return {};
  const read = readJsonText(text, levels);
  if ("fault" in read) {
    return read.fault === "unfit" ? `the body ${read.detail}` : "the body is not a JSON object";
  }
  const { value } = read;
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Payload)
    : "the body is not a JSON object";
}
