import { type DestinationStream, destination, type Level, type Logger, pino } from "pino";
import { WaybillError } from "../errors.ts";
import type { Headers } from "../message.ts";
import type { Observation, Observer } from "../observer.ts";

const levels = ["trace", "debug", "info", "warn", "error", "fatal"];

/**
 * Writes what the engine does as JSON lines, each with the trace it belongs to: what went wrong as `warn` and `error`,
 * the life of instances and partitions as `info`, each event as `debug`, batches as `trace`. With a clock, a trouble that
 * comes again within ten seconds is counted in the next line about it instead of having one of its own.
 * @throws WaybillError `invalid-configuration` for an unknown level.
 */
export function logObserver(
  level: string,
  to: DestinationStream = destination(2),
  now?: () => number,
): Observer {
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
  const echoes = new Echoes();
  return {
    observe(observation, trace) {
      const repeated = now === undefined ? 0 : echoes.hear(observation, now());
      if (repeated === undefined) return;
      write(logger, observation, { ...traceFields(trace), ...(repeated > 0 && { repeated }) });
    },
  };
}

const quietMs = 10_000;
const mostRemembered = 1_000;

/** While something is away, every attempt says so, many times a second. */
class Echoes {
  readonly #heard = new Map<string, { readonly at: number; repeated: number }>();

  /** How often it was passed over since it was last said; undefined when it is not to be said again yet. */
  hear(observation: Observation, now: number): number | undefined {
    if (observation.kind !== "trouble") return 0;
    const words = `${observation.where} ${observation.message}`;
    const last = this.#heard.get(words);
    if (last !== undefined && now - last.at < quietMs) {
      last.repeated += 1;
      return undefined;
    }
    if (this.#heard.size >= mostRemembered) this.#heard.clear();
    this.#heard.set(words, { at: now, repeated: 0 });
    return last?.repeated ?? 0;
  }
}

function write(logger: Logger, observation: Observation, more: object): void {
  const level = levelOf(observation);
  if (!logger.isLevelEnabled(level)) return;
  const { kind, ...fields } = observation;
  logger[level]({ ...fields, ...more }, "message" in fields ? fields.message : kind);
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
