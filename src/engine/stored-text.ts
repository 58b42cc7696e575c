import { readJsonText } from "../json-text.ts";
import type { UnfitArrival } from "./arrival.ts";
import type { HistoryEntry } from "./client.ts";
import type { LetterEntry } from "./dead-letter.ts";
import type { ActivityTask, OutboxContent, WorkLimits } from "./wire.ts";

/*
 * What the store holds as opaque text, read back. We wrote it, but a disk, a backup or a hand at the database may have
 * broken it since: then what cannot be read is shown as it is, and stops nothing else.
 */

/** Deeper than anything that a step may keep. */
const levels = 1_000;
const unreadable = "what the store holds of it cannot be read";

type Fields = Readonly<Record<string, unknown>>;

/** An outbox entry; as an arrival, for the operator, when it cannot be read. */
export function readOutboxEntry(seq: number, entry: string): OutboxContent | UnfitArrival {
  const content = fieldsIn(entry);
  const { kind, outgoing, task, tried, trial } = content ?? {};
  if (kind === "run" && isTask(task) && isTried(tried)) return content as unknown as OutboxContent;
  if (kind === "trial" && isTrial(trial)) return content as unknown as OutboxContent;
  if (kind === "publish" && isOutgoing(outgoing)) return content as unknown as OutboxContent;
  return {
    kind: "unfit",
    receipt: { seq },
    key: "",
    trace: {},
    type: undefined,
    reason: "corrupt-record",
    detail: `an effect was promised, and ${unreadable}`,
    body: entry,
  };
}

/** A dead letter; one that cannot be read says so, with its text as its body. */
export function readLetter(id: string, entry: string): LetterEntry {
  const letter = fieldsIn(entry);
  const known = ["id", "reason", "detail", "body"] as const;
  const isWhole = known.every((name) => typeof letter?.[name] === "string");
  const isNamed = ["messageId", "key", "type"].every((name) => isText(letter?.[name]));
  const isTraced = letter?.["trace"] === undefined || isTextTable(letter["trace"]);
  if (isWhole && isNamed && isTraced && letter?.["id"] === id) {
    return letter as unknown as LetterEntry;
  }
  return { id, reason: "corrupt-record", detail: unreadable, body: entry };
}

/** The task in a message for a worker; undefined when it holds none. */
export function readTask(body: string): (ActivityTask & WorkLimits) | undefined {
  const task = fieldsIn(body);
  const { leaseMs, startToCloseMs, heartbeatMs = 1 } = task ?? {};
  const isLimited = [leaseMs, startToCloseMs, heartbeatMs].every(Number.isFinite);
  return isTask(task) && isLimited ? (task as unknown as ActivityTask & WorkLimits) : undefined;
}

/** An entry of a history; one that cannot be read says so, with its text as its payload. */
export function readHistory(number: number, entry: string): HistoryEntry {
  const fields = fieldsIn(entry);
  const { at, version, type, state, messageId, traceId } = fields ?? {};
  const isWhole =
    typeof at === "number" &&
    Math.abs(at) < 8.64e15 &&
    typeof version === "number" &&
    typeof type === "string" &&
    (typeof state === "string" || isTable(state)) &&
    isText(messageId) &&
    isText(traceId);
  if (isWhole) return { number, ...(fields as unknown as Omit<HistoryEntry, "number">) };
  return { number, at: 0, version: 0, type: "waybill.unreadable", state: "", payload: entry };
}

function fieldsIn(text: string): Fields | undefined {
  const read = readJsonText(text, levels);
  return "value" in read && isTable(read.value) ? read.value : undefined;
}

function isTask(task: unknown): boolean {
  if (!isTable(task)) return false;
  const { key, activity, generation, source, definition, attempt } = task;
  const texts = [key, activity, source, definition].every((text) => typeof text === "string");
  return texts && Number.isInteger(generation) && Number.isInteger(attempt);
}

function isTried(tried: unknown): boolean {
  if (tried === undefined) return true;
  return isTable(tried) && isText(tried["by"]) && Number.isInteger(tried["deaths"]);
}

function isTrial(trial: unknown): boolean {
  if (!isTable(trial)) return false;
  const { by, trying, deaths } = trial;
  const isNamed = Array.isArray(trying) && trying.every((name) => typeof name === "string");
  const isCounted = isTable(deaths) && Object.values(deaths).every(Number.isInteger);
  return typeof by === "string" && isNamed && isCounted;
}

function isOutgoing(outgoing: unknown): boolean {
  if (!isTable(outgoing)) return false;
  const { exchange, routingKey, delayMs, message } = outgoing;
  if (!isTable(message)) return false;
  const { body, headers, id, type, correlationId, replyTo } = message;
  const isAddressed = typeof exchange === "string" && typeof routingKey === "string";
  const isDelayed = delayMs === undefined || Number.isFinite(delayMs);
  const isNamed = [id, type, correlationId, replyTo].every(isText);
  const hasHeaders = headers === undefined || isTextTable(headers);
  return isAddressed && isDelayed && isNamed && hasHeaders && typeof body === "string";
}

function isTable(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTextTable(value: unknown): boolean {
  return isTable(value) && Object.values(value).every((one) => typeof one === "string");
}

function isText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}
