/** The W3C trace context and our own `x-waybill-*` entries; every value is text. */
export type Headers = Readonly<Record<string, string>>;

/**
 * What travels: an event in its envelope. The fields are the standard AMQP 0-9-1 properties, the body
 * is the event's payload as JSON text without any wrapping.
 */
export interface Message {
  /** AMQP `message_id`: the dedupe key, the same on every re-publish. */
  readonly id?: string;
  /** AMQP `type`: the event type. */
  readonly type?: string;
  /** The payload as JSON text. Nothing guarantees that it parses. */
  readonly body: string;
  readonly correlationId?: string;
  /** Name of the queue that an answer goes to, by way of the default exchange. */
  readonly replyTo?: string;
  /** Milliseconds since the Unix epoch at which the message was first accepted. */
  readonly timestamp?: number;
  readonly appId?: string;
  /** AMQP `user_id`: set and validated by the transport, never by the publisher. */
  readonly userId?: string;
  readonly headers?: Headers;
}

/** Names the instance (`workflow/id`) that a message is for. */
export const instanceHeader = "x-waybill-instance";

/** On a message that may have been published before, under the same id: its sender died or was not told. */
export const republishedHeader = "x-waybill-republished";

/** Prefixes that only the engine may use for event types. */
export const reservedTypePrefixes = ["xstate.", "waybill."] as const;

/** True for a type that no outsider may send. */
export function isReservedType(type: string): boolean {
  for (const prefix of reservedTypePrefixes) if (type.startsWith(prefix)) return true;
  return false;
}

const idPattern = /^[A-Za-z0-9._:-]{1,128}$/;
const workflowPattern = /^[A-Za-z0-9._-]{1,64}$/;

/** True for text that can be the id of an instance: 1 to 128 of `A-Z a-z 0-9 . _ : -`. */
export function isInstanceId(text: string): boolean {
  return idPattern.test(text);
}

/** True for text that can name a workflow: 1 to 64 of `A-Z a-z 0-9 . _ -`. */
export function isWorkflowName(text: string): boolean {
  return workflowPattern.test(text);
}

/** The two parts of `workflow/id`, or undefined when the text is no such name. */
export function parseInstanceKey(key: string): { workflow: string; id: string } | undefined {
  const slash = key.indexOf("/");
  const workflow = key.slice(0, slash);
  const id = key.slice(slash + 1);
  return slash > 0 && isWorkflowName(workflow) && isInstanceId(id) ? { workflow, id } : undefined;
}
