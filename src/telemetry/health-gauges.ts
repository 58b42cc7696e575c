import type { PartitionStatus } from "../store.ts";
import { gauge, type Labels } from "./instruments.ts";

/** What a process can say of itself besides what it has observed. */
export interface Gauges {
  readonly ready: boolean;
  readonly owned: readonly number[];
  /** Of every partition, as the store has it. */
  readonly partitions: readonly Pick<
    PartitionStatus,
    "partition" | "outboxEntries" | "timers" | "deadLetters"
  >[];
  readonly durability?: string;
  readonly brokerDurability?: string;
  readonly findings?: readonly { readonly code: string; readonly severity: string }[];
  readonly measures?: {
    readonly queues: readonly { readonly partition: number; readonly messages: number }[];
    readonly ownerless: readonly number[];
    readonly stalled: readonly number[];
    readonly oldestOutboxMs: number;
    readonly overdueTimers: number;
    readonly oldestOverdueTimerMs: number;
    readonly instances: readonly {
      readonly workflow: string;
      readonly failed: number;
      readonly suspended: number;
      readonly stuck: number;
    }[];
    readonly waitingInstances: number;
    readonly oldestWaitingMs: number;
    readonly clockSkewMs: number;
    readonly eventLoopLagMs: number;
  };
}

type Values = readonly (readonly [Labels, number])[];

/** The state of this moment in Prometheus' text format. */
export function gaugeLines(gauges: Gauges): readonly string[] {
  const { ready, owned, findings = [], durability = "", brokerDurability = "" } = gauges;
  const found: Values = findings.map(({ code, severity }) => [{ code, severity }, 1]);
  const levels = { store: durability, broker: brokerDurability };
  return [
    ...one("waybill_ready", "1 when this process can take work.", ready ? 1 : 0),
    ...gauge("waybill_active_findings", "1 for what an operator should know now.", found),
    ...gauge("waybill_durability_info", "What store and broker survive.", [[levels, 1]]),
    ...one("waybill_partitions_owned", "Partitions of this process.", owned.length),
    ...partitionLines(gauges),
    ...(gauges.measures === undefined ? [] : measureLines(gauges.measures)),
  ];
}

function partitionLines({ partitions }: Gauges): readonly string[] {
  const of = (pick: (status: Gauges["partitions"][number]) => number): Values =>
    partitions.map((status) => [{ partition: String(status.partition) }, pick(status)]);
  const outbox = of(({ outboxEntries }) => outboxEntries);
  const letters = of(({ deadLetters }) => deadLetters);
  return [
    ...gauge("waybill_outbox_entries", "Effects promised and not delivered yet.", outbox),
    ...gauge(
      "waybill_timers_armed",
      "Timers armed.",
      of(({ timers }) => timers),
    ),
    ...gauge("waybill_dead_letters", "Dead letters that wait for an operator.", letters),
  ];
}

function measureLines(measures: NonNullable<Gauges["measures"]>): readonly string[] {
  const { queues, instances, ownerless, stalled } = measures;
  const waiting: Values = queues.map(({ partition, messages }) => [
    { partition: String(partition) },
    messages,
  ]);
  const unwell: Values = instances.flatMap(({ workflow, ...counts }) =>
    Object.entries(counts).map(([status, count]) => [{ workflow, status }, count] as const),
  );
  return [
    ...gauge("waybill_queue_messages", "Messages that wait at the broker.", waiting),
    ...one("waybill_partitions_without_owner", "Partitions without owner.", ownerless.length),
    ...one("waybill_partitions_without_progress", "Own partitions that stall.", stalled.length),
    ...age("waybill_outbox_oldest_seconds", "Age of the oldest unsent.", measures.oldestOutboxMs),
    ...one("waybill_timers_overdue", "Timers overdue, at most 1000.", measures.overdueTimers),
    ...age(
      "waybill_timer_overdue_seconds",
      "How long the oldest timer is overdue.",
      measures.oldestOverdueTimerMs,
    ),
    ...gauge("waybill_instances", "Instances failed, suspended or stuck.", unwell),
    ...one("waybill_instances_waiting", "Keep events waiting.", measures.waitingInstances),
    ...age(
      "waybill_event_waiting_seconds",
      "How long the oldest event waits, by the hour.",
      measures.oldestWaitingMs,
    ),
    ...age(
      "waybill_store_clock_skew_seconds",
      "How far the store's clock is ahead.",
      measures.clockSkewMs,
    ),
    ...age(
      "waybill_event_loop_lag_seconds",
      "Longest delay in the last 15 s.",
      measures.eventLoopLagMs,
    ),
  ];
}

function one(name: string, help: string, value: number): readonly string[] {
  return gauge(name, help, [[{}, value]]);
}

function age(name: string, help: string, durationMs: number): readonly string[] {
  return one(name, help, durationMs / 1_000);
}
