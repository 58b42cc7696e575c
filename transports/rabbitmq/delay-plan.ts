import type { Message } from "../../src/message.ts";

/** Where a delayed message goes in the end and how long it has yet to be held back; travels in a header. */
export interface DelayPlan {
  readonly exchange: string;
  readonly routingKey: string;
  /** What is left after the present delay queue. */
  readonly restMs: number;
  /** The transport that sent it first; only that one can read `due`. */
  readonly sender: string;
  /** When it may come, by the sender's monotonic clock: exact, where adding up the delay queues is not. */
  readonly due: number;
}

const header = "x-waybill-delay";

/** What is shorter is waited for in the process: a delay queue would be no more exact. */
export const localMs = 15;
const smallestMs = 16;
const largestMs = 2 ** 26;
/**
 * The first queue holds a message for at least four fifths of its time, the next one for as much of the rest, and so on.
 * 1,000 delays up to 8 s through two processes, from none of the queues: 8 to an octave were late by p99 286 ms, 4 by
 * 72 ms, 2 by 185 ms, at the same cost; with more of them it takes longer to make the queues.
 */
const bucketsPerOctave = 4;

/**
 * The longest delay queue that does not hold a message longer than `delayMs`; undefined when that is shorter than all.
 * There are 89 of them, from 16 ms to 18 hours, if every kind of delay is used.
 */
export function bucketFor(delayMs: number): number | undefined {
  if (delayMs < smallestMs) return undefined;
  if (delayMs >= largestMs) return largestMs;
  const wholeMs = Math.floor(delayMs);
  const octave = 2 ** (31 - Math.clz32(wholeMs));
  const step = octave / bucketsPerOctave;
  return octave + Math.floor((wholeMs - octave) / step) * step;
}

/** The message with its plan. */
export function withPlan(message: Message, plan: DelayPlan): Message {
  return { ...message, headers: { ...message.headers, [header]: JSON.stringify(plan) } };
}

/** Plan and message as they were put together; undefined when there is no plan. */
export function planOf(
  message: Message,
): { readonly plan: DelayPlan; readonly message: Message } | undefined {
  const { headers, ...bare } = message;
  const { [header]: text, ...others } = headers ?? {};
  const plan = text === undefined ? undefined : parsePlan(text);
  if (plan === undefined) return undefined;
  const kept = Object.keys(others).length > 0 ? { ...bare, headers: others } : bare;
  return { plan, message: kept };
}

function parsePlan(text: string): DelayPlan | undefined {
  try {
    const plan: unknown = JSON.parse(text);
    return isPlan(plan) ? plan : undefined;
  } catch {
    return undefined;
  }
}

function isPlan(value: unknown): value is DelayPlan {
  if (typeof value !== "object" || value === null) return false;
  const { exchange, routingKey, restMs, sender, due } = value as Record<string, unknown>;
  return (
    [exchange, routingKey, sender].every((text) => typeof text === "string") &&
    [restMs, due].every((number) => typeof number === "number")
  );
}
