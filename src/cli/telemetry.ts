import { systemClock } from "../clock.ts";
import type { Configuration } from "../configuration.ts";
import type { Client } from "../engine/client.ts";
import type { Observer } from "../observer.ts";
import { silentTracer, type Tracer } from "../tracer.ts";
import { troubleObserver } from "./troubles.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** How a process can be watched from outside. */
export interface Telemetry {
  readonly tracer: Tracer;
  readonly observer: Observer;
  /** What Prometheus fetches. */
  metrics(client: Pick<Client, "health">): Promise<string>;
  /** Sends what is still here. */
  close(): Promise<void>;
}

/**
 * What the environment asks for: metrics always, traces by `OTEL_*`, JSON log lines by `LOG_LEVEL` in place of words for
 * a person. Nothing of OpenTelemetry or pino is loaded unless it is.
 * @throws WaybillError `invalid-configuration` when it asks for what cannot be.
 */
export async function openTelemetry(
  environment: Environment,
  { broker }: Pick<Configuration, "broker">,
  say: (line: string) => void,
): Promise<Telemetry> {
  const [{ Metrics }, log, tracing] = await Promise.all([
    import("../telemetry/metrics.ts"),
    openLog(environment, say),
    openTracing(environment, broker),
  ]);
  const metrics = new Metrics();
  return {
    ...tracing,
    observer: {
      observe(observation, trace) {
        metrics.observe(observation);
        log.observe(observation, trace);
      },
    },
    metrics: async (client) => metrics.text(await client.health()),
  };
}

async function openLog(environment: Environment, say: (line: string) => void): Promise<Observer> {
  const level = environment["LOG_LEVEL"] ?? "";
  if (level === "") return troubleObserver(say, () => systemClock.monotonic());
  const { logObserver } = await import("../telemetry/log.ts");
  return logObserver(level.toLowerCase(), undefined, () => systemClock.monotonic());
}

async function openTracing(
  environment: Environment,
  broker: string,
): Promise<Pick<Telemetry, "tracer" | "close">> {
  const silent = { tracer: silentTracer, close: async () => undefined };
  if (!Object.keys(environment).some((name) => name.startsWith("OTEL_"))) return silent;
  const { telemetrySettings } = await import("../telemetry/telemetry-settings.ts");
  const settings = telemetrySettings(environment);
  if (!settings.traces) return silent;
  const telemetry = await import("../telemetry/open-tracing.ts");
  const system = broker.startsWith("amqp") ? "rabbitmq" : "waybill";
  return telemetry.openTracing({ settings, system, service: "waybill" });
}
