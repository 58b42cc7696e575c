import type { Headers } from "../message.ts";
import { type SpanStart, traceIdOf } from "../tracer.ts";

/**
 * How far one trace reaches. `hot`: as long as one thing leads to the next within a minute; after a longer wait a new
 * trace begins that is linked to the old one. `linked`: every step of an instance begins one. `single`: one for all.
 */
export type TraceReach = "hot" | "linked" | "single";

/** A trace that goes on for days is one that no viewer can show. */
const hotMs = 60_000;

/** Where a span begins: under a parent or, without one, as the root of a new trace. */
export interface SpanOrigin {
  readonly parent: Headers;
  /** The step of the same instance that it is linked to, as it does not lead back to it. */
  readonly link?: Headers;
  /** The trace in which the same instance took its previous step, when that is another one. */
  readonly previousTraceId?: string;
}

/** Decides whether a span goes on with the trace of its cause. */
export function originOf(
  start: Pick<SpanStart, "parent" | "previous">,
  reach: TraceReach,
): SpanOrigin {
  const { parent, previous } = start;
  if (previous === undefined) return { parent };
  const isCaused = parent["traceparent"] !== undefined;
  const cause = isCaused ? parent : { ...previous.headers, ...parent };
  const isLong = reach === "linked" || (reach === "hot" && previous.agoMs > hotMs);
  if (!isLong) return { parent: cause };
  const previousTraceId = traceIdOf(previous.headers);
  const linked = { previousTraceId: previousTraceId ?? "" };
  // What another trace has caused belongs there, and is only linked to the instance's own past.
  if (traceIdOf(cause) !== previousTraceId) {
    return { parent: cause, link: previous.headers, ...linked };
  }
  const { traceparent: _, tracestate: __, ...rest } = cause;
  return { parent: rest, link: cause, ...linked };
}
