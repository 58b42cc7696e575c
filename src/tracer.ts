import type { Headers } from "./message.ts";

/** What a span does in a conversation of processes, in OpenTelemetry's words. */
export type SpanKind = "internal" | "server" | "client" | "producer" | "consumer";

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** A span that begins. */
export interface SpanStart {
  readonly kind: SpanKind;
  /** One of few: ids belong into the attributes. */
  readonly name: string;
  /** The W3C trace context of what causes it; without a `traceparent` it begins a trace. */
  readonly parent: Headers;
  /** The last step of the same instance: a tracer may begin a new trace that is linked to it after a long wait. */
  readonly previous?: PreviousStep;
  /** What else is known of it; asked for only when somebody may look. */
  readonly details: () => SpanDetails;
}

export interface SpanDetails {
  readonly attributes: Attributes;
  /** Trace contexts that have to do with it but did not cause it. */
  readonly links?: readonly Headers[];
}

/** An earlier step: its W3C trace context, and how long ago it was. */
export interface PreviousStep {
  readonly headers: Headers;
  readonly agoMs: number;
}

/** How a span ended. */
export interface SpanEnd {
  readonly attributes?: Attributes;
  /** What went wrong, if anything did. */
  readonly error?: string;
  /** The name, when it is known only now. */
  readonly name?: string;
}

/** A span under way. One that is never ended is never heard of. */
export interface OpenSpan {
  /** The W3C trace context that everything it causes carries on: `traceparent`, `tracestate`, `baggage`. */
  readonly headers: Headers;
  /** `how` is asked for only when somebody may look. */
  end(how?: () => SpanEnd): void;
  /** Runs a piece of the user's code with this span as the active one, for instrumentation of other libraries. */
  within<Result>(task: () => Result): Result;
}

/** Follows causes across messages and processes. It must not throw. */
export interface Tracer {
  /** False when nobody will ever look: what a span would say need not be worked out. */
  readonly isActive: boolean;
  /** False when nothing that goes on with this W3C trace context is looked at: it was not sampled. */
  mayRecord(headers: Headers): boolean;
  begin(span: SpanStart): OpenSpan;
}

/** The trace that a W3C trace context belongs to. */
export function traceIdOf(headers: Headers): string | undefined {
  return headers["traceparent"]?.split("-")[1];
}

/** Records nothing; the trace contexts of others pass through unchanged. */
export const silentTracer: Tracer = {
  isActive: false,
  mayRecord: () => false,
  begin: ({ parent }) => ({ headers: parent, end: nothing, within: atOnce }),
};

function nothing(): void {}

function atOnce<Result>(task: () => Result): Result {
  return task();
}
