import { parseInstanceKey } from "../message.ts";
import type { Observation, Observer } from "../observer.ts";
import { type Gauges, gaugeLines } from "./health-gauges.ts";
import { Counter, Histogram, type Instrument, type Labels } from "./instruments.ts";

const secondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const countBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const seconds = 1_000;

type Takers = {
  readonly [Kind in Observation["kind"]]: (one: Extract<Observation, { kind: Kind }>) => void;
};

/**
 * Counts what the engine of this process has done, for Prometheus to fetch. Instances are never labels: workflows,
 * states and reasons are few.
 */
export class Metrics implements Observer {
  readonly #started = new Counter("waybill_instances_started_total", "Instances started.");
  readonly #ended = new Counter("waybill_instances_ended_total", "Instances ended, by last state.");
  readonly #removed = new Counter(
    "waybill_instances_removed_total",
    "Instances removed after their retention.",
  );
  readonly #failed = new Counter("waybill_instances_failed_total", "Events that threw.");
  readonly #stuck = new Counter(
    "waybill_instances_stuck_total",
    "Instances that came to rest where nothing known can move them.",
  );
  readonly #findings = new Counter(
    "waybill_findings_total",
    "Findings that came up, by code and severity.",
  );
  readonly #jumps = new Counter(
    "waybill_store_clock_jumps_total",
    "Jumps of the store's clock, by direction.",
  );
  readonly #blocked = new Counter(
    "waybill_event_loop_blocked_total",
    "Times that nothing else could run in this process for longer than the limit.",
  );
  readonly #applied = new Counter("waybill_events_applied_total", "Events applied.");
  readonly #setAside = new Counter(
    "waybill_messages_set_aside_total",
    "Messages that changed nothing at once: duplicate, deferred, held, ignored or stale.",
  );
  readonly #deadLetters = new Counter("waybill_dead_letters_total", "Dead letters, by reason.");
  readonly #activities = new Counter("waybill_activity_attempts_total", "Attempts of activities.");
  readonly #troubles = new Counter("waybill_troubles_total", "Troubles, by where they came up.");
  readonly #hands = new Counter(
    "waybill_partition_changes_total",
    "Partitions claimed, released and lost.",
  );
  readonly #rolledBack = new Counter(
    "waybill_rolled_back_commits_total",
    "Commits that the store had lost: written again, or gone.",
  );
  readonly #commits = new Histogram(
    "waybill_commit_duration_seconds",
    "From a batch being taken up to its commit and acknowledgement.",
    secondsBounds,
  );
  readonly #batches = new Histogram(
    "waybill_batch_messages",
    "Messages, timers and results of one commit.",
    countBounds,
  );
  readonly #lateness = new Histogram(
    "waybill_timer_lateness_seconds",
    "How long after its time a timer fired.",
    secondsBounds,
  );
  readonly #activityTime = new Histogram(
    "waybill_activity_duration_seconds",
    "How long attempts of activities took.",
    secondsBounds,
  );

  readonly #workflows = new Map<string, Labels>();

  readonly #takers: Takers = {
    started: ({ key }) => this.#started.add(this.#labelsOf(key)),
    applied: ({ key }) => this.#applied.add(this.#labelsOf(key)),
    ended: ({ key, status, state }) =>
      this.#ended.add({ workflow: workflowOf(key), status, state: finalState(state) }),
    removed: ({ key }) => this.#removed.add({ workflow: workflowOf(key) }),
    failed: ({ key }) => this.#failed.add({ workflow: workflowOf(key) }),
    stuck: ({ key }) => this.#stuck.add({ workflow: workflowOf(key) }),
    finding: ({ code, severity, change }) => {
      if (change === "appeared") this.#findings.add({ code, severity });
    },
    durability: () => undefined,
    "clock-jump": ({ byMs }) => this.#jumps.add({ direction: byMs < 0 ? "backward" : "forward" }),
    "loop-blocked": () => this.#blocked.add(),
    "set-aside": ({ key, outcome }) => this.#setAside.add({ workflow: workflowOf(key), outcome }),
    "dead-letter": ({ key, reason }) =>
      this.#deadLetters.add({ workflow: workflowOf(key), reason }),
    committed: ({ durationMs, messages }) => {
      this.#commits.record(durationMs / seconds);
      this.#batches.record(messages);
    },
    "timer-fired": ({ lateMs }) => this.#lateness.record(Math.max(0, lateMs) / seconds),
    activity: ({ key, name, outcome, durationMs }) => {
      this.#activityTime.record(durationMs / seconds);
      this.#activities.add({ workflow: workflowOf(key), activity: name, outcome });
    },
    partition: ({ change }) => this.#hands.add({ change }),
    rollback: ({ restored, lost }) => {
      this.#rolledBack.add({ outcome: "restored" }, restored);
      this.#rolledBack.add({ outcome: "lost" }, lost);
    },
    trouble: ({ where }) => this.#troubles.add({ where }),
  };

  /** The workflow of an instance that runs, as labels that are the same object each time. */
  #labelsOf(key: string): Labels {
    const workflow = key.slice(0, key.indexOf("/"));
    const known = this.#workflows.get(workflow);
    if (known !== undefined) return known;
    const labels = { workflow };
    this.#workflows.set(workflow, labels);
    return labels;
  }

  observe(observation: Observation): void {
    const take = this.#takers[observation.kind] as (one: Observation) => void;
    take(observation);
  }

  /** All of it in Prometheus' text format, version 0.0.4. */
  text(gauges: Gauges): string {
    const instruments: readonly Instrument[] = [
      this.#started,
      this.#ended,
      this.#removed,
      this.#failed,
      this.#stuck,
      this.#findings,
      this.#jumps,
      this.#blocked,
      this.#applied,
      this.#setAside,
      this.#deadLetters,
      this.#activities,
      this.#troubles,
      this.#hands,
      this.#rolledBack,
      this.#commits,
      this.#batches,
      this.#lateness,
      this.#activityTime,
    ];
    const lines = [...instruments.flatMap((one) => one.lines()), ...gaugeLines(gauges)];
    return `${lines.join("\n")}\n`;
  }
}

function workflowOf(key: string | undefined): string {
  return parseInstanceKey(key ?? "")?.workflow ?? "";
}

/** `"delivered"` as text; the state of a machine with regions as its JSON. */
function finalState(state: string): string {
  return /^"[^"]*"$/.test(state) ? state.slice(1, -1) : state;
}
