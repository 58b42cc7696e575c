import { toErrorRecord } from "../../errors.ts";
import type { Headers } from "../../message.ts";
import { parseInstanceKey } from "../../message.ts";
import type { Observation } from "../../observer.ts";
import { attribute, spanName } from "../../semantic-conventions.ts";
import type { OpenSpan, Tracer } from "../../tracer.ts";
import type { Outcome } from "../arrival.ts";
import { instanceAttributes, republishedAttribute } from "../trace-send.ts";
import { type ActivityTask, traceOf } from "../wire.ts";

/** Begins the span of one attempt of an activity; `consumer` when its task came over the broker. */
export function beginAttempt(
  tracer: Tracer,
  {
    task,
    kind,
    headers = {},
  }: {
    readonly task: ActivityTask;
    readonly kind: "internal" | "consumer";
    /** Those of its message, or the trace that it belongs to. */
    readonly headers: Headers | undefined;
  },
): OpenSpan {
  const { key, source, attempt } = task;
  return tracer.begin({
    kind,
    name: spanName.activity(parseInstanceKey(key)?.workflow ?? "", source),
    parent: traceOf(headers),
    details: () => ({
      attributes: {
        ...instanceAttributes(key),
        ...republishedAttribute(headers),
        [attribute.activity]: source,
        [attribute.attempt]: attempt,
      },
    }),
  });
}

/** Ends it with what came of the attempt. */
export function endAttempt(span: OpenSpan, outcome: Outcome): void {
  if (outcome.kind === "done") return span.end();
  span.end(() => {
    const { name, message } = toErrorRecord(outcome.error);
    return { error: message, attributes: { [attribute.errorType]: name } };
  });
}

/** What an observer is told of an attempt. */
export function observationOf(of: {
  readonly task: ActivityTask;
  readonly outcome: Outcome;
  readonly durationMs: number;
}): Observation {
  const { task, outcome, durationMs } = of;
  const { key, source: name, attempt } = task;
  const told = outcome.kind === "done" ? "done" : "failed";
  return { kind: "activity", key, name, attempt, outcome: told, durationMs };
}
