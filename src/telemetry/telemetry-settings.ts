import { WaybillError } from "../errors.ts";
import type { TraceReach } from "./span-origin.ts";

/** What the standard `OTEL_*` variables ask for, as far as the exporter does not read them itself. */
export interface TelemetrySettings {
  readonly traces: boolean;
  readonly reach: TraceReach;
  readonly sampler: string;
  /** The share of new traces that a ratio sampler keeps, 0 to 1. */
  readonly samplerRatio: number;
  /** How long spans are gathered before they are sent. */
  readonly scheduleDelayMs: number;
  readonly maxQueueSize: number;
  readonly maxBatchSize: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const samplers = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
];
const reaches: readonly TraceReach[] = ["hot", "linked", "single"];

/**
 * Reads the environment; unset variables have the values that OpenTelemetry gives them, except that nothing is
 * exported unless an endpoint or an exporter is named.
 * @throws WaybillError `invalid-configuration` with every problem.
 */
export function telemetrySettings(environment: Environment): TelemetrySettings {
  const problems: string[] = [];
  const one = <Word extends string>(name: string, words: readonly Word[], standard: Word): Word => {
    const given = environment[name] || standard;
    const known = words.find((word) => word === given);
    if (known === undefined) problems.push(`${name} is "${given}", not one of ${words.join(", ")}`);
    return known ?? standard;
  };
  const number = (name: string, standard: number): number => {
    const given = environment[name];
    const value = given === undefined || given === "" ? standard : Number(given);
    if (!(value >= 0)) problems.push(`${name} is "${given}", not a number from 0 on`);
    return value;
  };
  const exporter = one("OTEL_TRACES_EXPORTER", ["otlp", "none"], "otlp");
  one("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", protocols, "http/json");
  one("OTEL_EXPORTER_OTLP_PROTOCOL", protocols, "http/json");
  const settings: TelemetrySettings = {
    traces: exporter === "otlp" && isAskedFor(environment),
    reach: one("WAYBILL_TRACES", reaches, "hot"),
    sampler: one("OTEL_TRACES_SAMPLER", samplers, "parentbased_always_on"),
    samplerRatio: number("OTEL_TRACES_SAMPLER_ARG", 1),
    scheduleDelayMs: number("OTEL_BSP_SCHEDULE_DELAY", 5_000),
    maxQueueSize: number("OTEL_BSP_MAX_QUEUE_SIZE", 16_384),
    maxBatchSize: number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512),
  };
  if (settings.traces && problems.length > 0) throw invalid(problems);
  return settings;
}

/** Both travel to the same endpoint; spans are sent as JSON, which every receiver of the other takes as well. */
const protocols = ["http/json", "http/protobuf"];

function isAskedFor(environment: Environment): boolean {
  if (environment["OTEL_SDK_DISABLED"]?.toLowerCase() === "true") return false;
  return [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_TRACES_EXPORTER",
  ].some((name) => (environment[name] ?? "") !== "");
}

function invalid(problems: readonly string[]): WaybillError {
  return new WaybillError({
    code: "invalid-configuration",
    message: `The environment asks for telemetry that cannot be: ${problems.join("; ")}.`,
    action: "Correct these variables; spans go out as OTLP over HTTP, on port 4318 for one.",
    problems,
  });
}
