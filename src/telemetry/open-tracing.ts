import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { schemaUrl } from "../semantic-conventions.ts";
import type { Tracer } from "../tracer.ts";
import { OtelTracer } from "./otel-tracer.ts";
import type { TelemetrySettings } from "./telemetry-settings.ts";

export { telemetrySettings } from "./telemetry-settings.ts";

/** Traces that go to where the environment says. */
export interface Tracing {
  readonly tracer: Tracer;
  /** Sends what is still here; spans that cannot be sent are lost. */
  close(): Promise<void>;
}

export interface TracingOptions {
  readonly settings: TelemetrySettings;
  /** The messaging system by its name in the conventions. */
  readonly system: string;
  /** `service.name` unless `OTEL_SERVICE_NAME` says otherwise. */
  readonly service: string;
  /** Takes the spans instead of the exporter that the environment names. */
  readonly processor?: SpanProcessor;
}

/** Sets OpenTelemetry up: OTLP over HTTP, in batches, with the standard variables for endpoint, headers and resource. */
export function openTracing({ settings, system, service, processor }: TracingOptions): Tracing {
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ "service.name": service }))
      .merge(
        detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }),
      ),
    sampler: samplerOf(settings),
    spanProcessors: [processor ?? exporting(settings)],
  });
  // So that the libraries that an activity uses find its span; another one that is set already stays.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const tracer = new OtelTracer({
    tracer: provider.getTracer("waybill", undefined, { schemaUrl }),
    reach: settings.reach,
    system,
    followsParents: isParentBased(settings),
  });
  return { tracer, close: () => provider.shutdown() };
}

function exporting(settings: TelemetrySettings): SpanProcessor {
  return new BatchSpanProcessor({
    exporter: new OTLPTraceExporter(),
    scheduledDelayMillis: settings.scheduleDelayMs,
    maxQueueSize: settings.maxQueueSize,
    maxExportBatchSize: settings.maxBatchSize,
  });
}

function samplerOf({ sampler, samplerRatio }: TelemetrySettings): Sampler {
  const root = rootSampler(sampler.replace("parentbased_", ""), samplerRatio);
  return isParentBased({ sampler }) ? new ParentBasedSampler({ root }) : root;
}

function isParentBased({ sampler }: Pick<TelemetrySettings, "sampler">): boolean {
  return sampler.startsWith("parentbased_");
}

function rootSampler(name: string, ratio: number): Sampler {
  if (name === "always_off") return new AlwaysOffSampler();
  return name === "traceidratio" ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler();
}
