import type { ConsumeMessage, MessagePropertyHeaders, Options } from "amqplib";
import type { Headers, Message } from "../../src/message.ts";

/** AMQP counts timestamps in seconds; this header carries the milliseconds beyond them. */
export const millisecondsHeader = "x-waybill-ms";
/** What the broker itself writes on messages that passed a delay queue. */
const brokersOwn = /^x-(first|last)-death-/;
const longestShortTextBytes = 255;

/** While it is put together: fields that are absent must not be there, and a spread for each costs more than the rest. */
export type Writable<Data> = { -readonly [Key in keyof Data]: Data[Key] };

/** The AMQP properties of a message; `user` is what the broker will hold it against. */
export function propertiesOf(message: Message, user: string): Options.Publish {
  const { id, type, correlationId, replyTo, timestamp, appId } = message;
  const headers = headersOf(message);
  const properties: Options.Publish = {
    contentType: "application/json",
    persistent: true,
    userId: user,
  };
  if (id !== undefined) properties.messageId = id;
  if (type !== undefined) properties.type = type;
  if (correlationId !== undefined) properties.correlationId = correlationId;
  if (replyTo !== undefined) properties.replyTo = replyTo;
  if (timestamp !== undefined) properties.timestamp = Math.floor(timestamp / 1_000);
  if (appId !== undefined) properties.appId = appId;
  if (headers !== undefined) properties.headers = headers;
  return properties;
}

/**
 * A message from what the broker delivered. Of the headers those with text are kept. Some clients cannot set the
 * type; of what they publish to a topic exchange the routing key names it, as there both are the same.
 */
export function messageFrom({ content, properties, fields }: ConsumeMessage): Message {
  const message: Writable<Message> = { body: content.toString("utf8") };
  const id = textIn(properties.messageId);
  const type =
    textIn(properties.type) ?? (isTopic(fields.exchange) ? textIn(fields.routingKey) : undefined);
  const correlationId = textIn(properties.correlationId);
  const replyTo = textIn(properties.replyTo);
  const appId = textIn(properties.appId);
  const userId = textIn(properties.userId);
  const timestamp = timestampIn(properties.timestamp, properties.headers);
  const headers = headersFrom(properties.headers);
  if (id !== undefined) message.id = id;
  if (type !== undefined) message.type = type;
  if (correlationId !== undefined) message.correlationId = correlationId;
  if (replyTo !== undefined) message.replyTo = replyTo;
  if (appId !== undefined) message.appId = appId;
  if (userId !== undefined) message.userId = userId;
  if (timestamp !== undefined) message.timestamp = timestamp;
  if (headers !== undefined) message.headers = headers;
  return message;
}

/**
 * How often a message came back. Quorum queues count it; since RabbitMQ 4.3 one count is of failures only and another
 * one of every time it was handed out. Other queues only say that it did.
 */
export function redeliveriesOf({ fields, properties }: ConsumeMessage): number {
  const failures = numberIn(properties.headers?.["x-delivery-count"]);
  const handedOut = numberIn(properties.headers?.["x-acquired-count"]);
  return Math.max(failures, handedOut, fields.redelivered ? 1 : 0);
}

/** True when AMQP has room for every field; a longer one would break the connection. */
export function fitsAmqp(routingKey: string, message: Message): boolean {
  const { id, type, correlationId, replyTo, appId, headers } = message;
  for (const name in headers) if (!isShort(name)) return false;
  return (
    isShort(routingKey) &&
    isShort(id) &&
    isShort(type) &&
    isShort(correlationId) &&
    isShort(replyTo) &&
    isShort(appId)
  );
}

function isShort(text: string | undefined): boolean {
  return (
    text === undefined ||
    // No character takes more than three bytes per unit of JavaScript's length.
    text.length * 3 <= longestShortTextBytes ||
    Buffer.byteLength(text) <= longestShortTextBytes
  );
}

/** What the seconds of AMQP leave out of a time, as text; undefined when they leave out nothing. */
export function millisecondsOf(timestamp: number | undefined): string | undefined {
  const milliseconds = timestamp === undefined ? 0 : Math.floor(timestamp) % 1_000;
  return milliseconds === 0 ? undefined : String(milliseconds);
}

function headersOf({ headers, timestamp }: Message): Headers | undefined {
  const milliseconds = millisecondsOf(timestamp);
  return milliseconds === undefined ? headers : { ...headers, [millisecondsHeader]: milliseconds };
}

function headersFrom(table: MessagePropertyHeaders | undefined): Headers | undefined {
  const headers: Record<string, string> = {};
  let found = false;
  for (const name in table) {
    const value: unknown = table[name];
    const text = textIn(value);
    if (text === undefined || textIn(name) === undefined) continue;
    if (name === millisecondsHeader || brokersOwn.test(name)) continue;
    headers[name] = text;
    found = true;
  }
  return found ? headers : undefined;
}

/** A time from the seconds of AMQP and the milliseconds that a header may tell. */
export function timestampFrom(seconds: number, milliseconds: string | undefined): number {
  const beyond = Number(milliseconds ?? 0);
  return seconds * 1_000 + (beyond > 0 && beyond < 1_000 ? beyond : 0);
}

function timestampIn(
  seconds: unknown,
  headers: MessagePropertyHeaders | undefined,
): number | undefined {
  if (typeof seconds !== "number" || !Number.isFinite(seconds * 1_000)) return undefined;
  return timestampFrom(seconds, textIn(headers?.[millisecondsHeader]));
}

/** True for an exchange whose routing keys are types of events. */
export function isTopic(exchange: string): boolean {
  return /\.(events|inbound)$/.test(exchange);
}

/**
 * Bytes that are not UTF-8 are no text: all that are read as replacement characters would look the same, so that one
 * message would count as a copy of another, and would be too long to be sent on.
 */
function textIn(value: unknown): string | undefined {
  return typeof value === "string" && !value.includes("\ufffd") ? value : undefined;
}

function numberIn(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
