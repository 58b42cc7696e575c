import { type DestinationStream, destination, type Level, type Logger, pino } from "pino";
import { WaybillError } from "../errors.ts";
import type { Headers } from "../message.ts";
import type { Observation, Observer } from "../observer.ts";

const levels = ["trace", "debug", "info", "warn", "error", "fatal"];

/**
 * Writes what the engine does as JSON lines, each with the trace it belongs to: what went wrong as `warn` and `error`,
 * the life of instances and partitions as `info`, each event as `debug`, batches as `trace`.
 * @throws WaybillError `invalid-configuration` for an unknown level.
 */
export function logObserver(level: string, to: DestinationStream = destination(2)): Observer {
  if (![...levels, "silent"].includes(level)) {
    throw new WaybillError({
      code: "invalid-configuration",
      message: `LOG_LEVEL is "${level}".`,
      action: `Use one of ${levels.join(", ")}, silent.`,
    });
  }
  const logger = pino(
    { level, base: null, formatters: { level: (label) => ({ level: label }) } },
    to,
  );
  return { observe: (observation, trace) => write(logger, observation, trace) };
}

function write(logger: Logger, observation: Observation, trace: Headers | undefined): void {
  const level = levelOf(observation);
  if (!logger.isLevelEnabled(level)) return;
  const { kind, ...fields } = observation;
  logger[level]({ ...fields, ...traceFields(trace) }, "message" in fields ? fields.message : kind);
}

/** The names that OpenTelemetry gives trace ids in logs of other formats. */
function traceFields(trace: Headers | undefined): object {
  const [, traceId, spanId] = trace?.["traceparent"]?.split("-") ?? [];
  return traceId === undefined ? {} : { trace_id: traceId, span_id: spanId };
}

const levelOfKind = {
  started: "info",
  applied: "debug",
  ended: "info",
  removed: "debug",
  failed: "error",
  stuck: "warn",
  finding: "warn",
  durability: "info",
  "clock-jump": "warn",
  "loop-blocked": "warn",
  "set-aside": "debug",
  "dead-letter": "warn",
  committed: "trace",
  "timer-fired": "debug",
  activity: "debug",
  partition: "info",
  rollback: "error",
  trouble: "warn",
} as const satisfies Record<Observation["kind"], Level>;

function levelOf(observation: Observation): Level {
  const { kind } = observation;
  if (kind === "activity" && observation.outcome !== "done") return "warn";
  if (kind === "finding") return findingLevel(observation);
  if (kind === "partition" && observation.change === "lost") return "warn";
  return levelOfKind[kind];
}

function findingLevel({ change, severity }: Extract<Observation, { kind: "finding" }>): Level {
  if (change === "gone") return "info";
  return severity === "problem" ? "error" : "warn";
}
