import { context, trace } from "@opentelemetry/api";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { beforeEach, describe, expect, it } from "vitest";
import { openTracing, telemetrySettings } from "../../../src/telemetry/open-tracing.ts";
import type { Tracer } from "../../../src/tracer.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const parent = {
  traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
  tracestate: "vendor=1",
  baggage: "customer=7",
};

let exporter: InMemorySpanExporter;
let tracer: Tracer;

function tracing(environment: Readonly<Record<string, string>> = {}) {
  exporter = new InMemorySpanExporter();
  const settings = telemetrySettings({ OTEL_TRACES_EXPORTER: "otlp", ...environment });
  const processor = new SimpleSpanProcessor({ exporter });
  return openTracing({ settings, system: "rabbitmq", service: "shop", processor });
}

const unsampled = { ...parent, traceparent: parent.traceparent.replace(/1$/, "0") };
const begin = (change: object = {}) =>
  tracer.begin({
    kind: "consumer",
    name: "process go",
    parent,
    details: () => ({ attributes: {} }),
    ...change,
  });

beforeEach(() => {
  ({ tracer } = tracing());
});

describe("a span for OpenTelemetry", () => {
  it("goes on with the trace context of its parent, and hands on its own", () => {
    const attributes = { "messaging.operation.type": "process" };
    const span = begin({ details: () => ({ attributes }) });
    span.end(() => ({ attributes: { more: 1 } }));
    const [told] = exporter.getFinishedSpans();
    expect(told?.parentSpanContext).toMatchObject({ traceId, spanId: "00f067aa0ba902b7" });
    expect(told?.attributes).toEqual({
      "messaging.operation.type": "process",
      "messaging.system.name": "rabbitmq",
      more: 1,
    });
    expect(told?.resource.attributes["service.name"]).toBe("shop");
    expect(span.headers).toEqual({
      ...parent,
      traceparent: `00-${traceId}-${told?.spanContext().spanId}-01`,
    });
  });

  it.each(["", "00-1-2-3", `ff-${traceId}-00f067aa0ba902b7-01`])(
    "begins a trace when its parent is malformed (%j)",
    (traceparent) => {
      begin({ parent: { traceparent } }).end();
      expect(exporter.getFinishedSpans()[0]?.parentSpanContext).toBeUndefined();
    },
  );

  it("is never heard of unless it is ended", () => {
    begin();
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it("says what went wrong and the name that it has at last", () => {
    begin().end(() => ({ error: "it was refused", name: "GET /x" }));
    expect(exporter.getFinishedSpans()).toMatchObject([
      { name: "GET /x", status: { code: 2, message: "it was refused" } },
    ]);
  });

  it("follows the sampling that its parent has decided, and the sampler without a parent", () => {
    ({ tracer } = tracing({ OTEL_TRACES_SAMPLER: "parentbased_always_off" }));
    const root = begin({ parent: {} });
    root.end();
    begin().end();
    expect(root.headers["traceparent"]).toMatch(/-00$/);
    expect(exporter.getFinishedSpans()).toHaveLength(1);
  });

  it("is asked for nothing in a trace that is not sampled, and hands that on as it is", () => {
    const never = () => {
      throw new Error("nobody looks");
    };
    const span = begin({ parent: unsampled, details: never });
    span.end(never);
    expect(span.headers).toEqual(unsampled);
    expect(tracer.mayRecord(unsampled)).toBe(false);
    expect(span.within(() => trace.getSpanContext(context.active()))).toMatchObject({
      traceId,
      traceFlags: 0,
    });
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it("is looked at all the same by a sampler that does not ask its parent", () => {
    ({ tracer } = tracing({ OTEL_TRACES_SAMPLER: "always_on" }));
    begin({ parent: unsampled }).end();
    expect(tracer.mayRecord(unsampled)).toBe(true);
    expect(exporter.getFinishedSpans()).toHaveLength(1);
  });
});
