import {
  type Context,
  context,
  createTraceState,
  type Tracer as OtelApiTracer,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import type { Headers } from "../message.ts";
import { attribute } from "../semantic-conventions.ts";
import type { OpenSpan, SpanEnd, SpanStart, Tracer } from "../tracer.ts";
import { originOf, type TraceReach } from "./span-origin.ts";

export interface OtelTracerOptions {
  readonly tracer: OtelApiTracer;
  readonly reach: TraceReach;
  /** The messaging system by its name in the conventions, `rabbitmq` for one. */
  readonly system: string;
  /** Whether what follows a trace that was not sampled is never sampled either, as with `parentbased_` samplers. */
  readonly followsParents: boolean;
}

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

const unsampledPattern = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f][02468ace]$/;
const traceparentPattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Hands spans to an OpenTelemetry tracer, whoever has set that up. Trace contexts are read and written as W3C headers. */
export class OtelTracer implements Tracer {
  readonly isActive = true;
  readonly #options: OtelTracerOptions;

  constructor(options: OtelTracerOptions) {
    this.#options = options;
  }

  mayRecord(headers: Headers): boolean {
    return !(this.#options.followsParents && isUnsampled(headers));
  }

  begin(start: SpanStart): OpenSpan {
    const { tracer, reach, system } = this.#options;
    const { parent, link, previousTraceId } = originOf(start, reach);
    if (!this.mayRecord(parent)) return unsampledSpan(parent);
    const { attributes, links = [] } = start.details();
    const isMessaging = attributes[attribute.operationType] !== undefined;
    const span = tracer.startSpan(
      start.name,
      {
        kind: kinds[start.kind],
        links: [...links, ...(link === undefined ? [] : [link])].flatMap((headers) => {
          const found = spanContextOf(headers);
          return found === undefined ? [] : [{ context: found }];
        }),
        attributes: {
          ...attributes,
          ...(isMessaging && { [attribute.messagingSystem]: system }),
          ...(previousTraceId !== undefined && { [attribute.previousTrace]: previousTraceId }),
        },
      },
      contextOf(parent),
    );
    return openSpan(span, parent["baggage"]);
  }
}

function openSpan(span: Span, baggage: string | undefined): OpenSpan {
  return {
    headers: headersOf(span.spanContext(), baggage),
    end(how) {
      if (span.isRecording() && how !== undefined) describeEnd(span, how());
      span.end();
    },
    within: (task) => context.with(trace.setSpan(context.active(), span), task),
  };
}

/** Hands on its parent's context. A span of its own would cost as much, and nobody could tell the difference. */
function unsampledSpan(headers: Headers): OpenSpan {
  return {
    headers,
    end() {},
    within: (task) => context.with(contextOf(headers), task),
  };
}

function describeEnd(span: Span, { attributes, error, name }: SpanEnd): void {
  if (attributes !== undefined) span.setAttributes(attributes);
  if (name !== undefined) span.updateName(name);
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
}

function isUnsampled({ traceparent }: Headers): boolean {
  return traceparent !== undefined && unsampledPattern.test(traceparent);
}

function contextOf(headers: Headers): Context {
  const found = spanContextOf(headers);
  return found === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, found);
}

/** The span that a W3C trace context names; undefined when it is malformed. */
function spanContextOf({ traceparent = "", tracestate }: Headers): SpanContext | undefined {
  const [, traceId, spanId, flags = ""] = traceparentPattern.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }),
  };
}

function headersOf(span: SpanContext, baggage: string | undefined): Headers {
  const { traceId, spanId, traceFlags, traceState } = span;
  const flags = traceFlags.toString(16).padStart(2, "0");
  const state = traceState?.serialize() ?? "";
  return {
    traceparent: `00-${traceId}-${spanId}-${flags}`,
    ...(state !== "" && { tracestate: state }),
    ...(baggage !== undefined && { baggage }),
  };
}
