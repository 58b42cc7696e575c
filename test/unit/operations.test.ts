import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { Gauges } from "../../src/telemetry/health-gauges.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";

const page = readFileSync("docs/operations.md", "utf8");

const gauges: Required<Gauges> = {
  ready: true,
  owned: [0],
  partitions: [{ partition: 0, outboxEntries: 1, timers: 1, deadLetters: 1 }],
  durability: "fsync",
  brokerDurability: "fsync",
  findings: [{ code: "dead-letters", severity: "warning" }],
  measures: {
    queues: [{ partition: 0, messages: 4 }],
    ownerless: [1],
    stalled: [],
    oldestOutboxMs: 1_500,
    overdueTimers: 2,
    oldestOverdueTimerMs: 40_000,
    instances: [{ workflow: "order", failed: 1, suspended: 2, stuck: 3 }],
    waitingInstances: 5,
    oldestWaitingMs: 7_200_000,
    clockSkewMs: -250,
    eventLoopLagMs: 12,
  },
};

const text = new Metrics().text(gauges);
/** The metrics that there are, with their types. */
const metrics = new Map(
  [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = "", type = ""]) => [name, type]),
);

/** The name of the metric that a time series belongs to. */
function metricOf(series: string): string {
  const base = series.replace(/_(bucket|sum|count)$/, "");
  return metrics.get(base) === "histogram" ? base : series;
}

test("The state of the process is told in gauges, in base units", () => {
  expect(text.split("\n")).toEqual(
    expect.arrayContaining([
      'waybill_active_findings{code="dead-letters",severity="warning"} 1',
      'waybill_durability_info{store="fsync",broker="fsync"} 1',
      'waybill_queue_messages{partition="0"} 4',
      "waybill_partitions_without_owner 1",
      "waybill_partitions_without_progress 0",
      "waybill_outbox_oldest_seconds 1.5",
      "waybill_timers_overdue 2",
      "waybill_timer_overdue_seconds 40",
      'waybill_instances{workflow="order",status="failed"} 1',
      'waybill_instances{workflow="order",status="suspended"} 2',
      'waybill_instances{workflow="order",status="stuck"} 3',
      "waybill_instances_waiting 5",
      "waybill_event_waiting_seconds 7200",
      "waybill_store_clock_skew_seconds -0.25",
      "waybill_event_loop_lag_seconds 0.012",
    ]),
  );
});

test("The operators' page has a row for each metric, with its type and its labels, and no other", () => {
  const rows = [...page.matchAll(/^\| `(waybill_\w+)` \| (\w+) \| ([^|]*)\|/gm)];
  const documented = new Map(rows.map(([, name = "", type = ""]) => [name, type]));
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(metrics));
  const labels = new Map(
    rows.map(([, name = "", , list = ""]) => [name, list.match(/\w+/g) ?? []]),
  );
  const gaugesWithLabels = [...text.matchAll(/^(waybill_\w+)\{([^}]*)\} /gm)];
  for (const [, name = "", list = ""] of gaugesWithLabels) {
    const used = [...list.matchAll(/(\w+)=/g)].map(([, label]) => label);
    // Buckets have their bound as well, which Prometheus' users know.
    expect([name, used]).toEqual([name, name.endsWith("_bucket") ? ["le"] : labels.get(name)]);
  }
});

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

test("The alerts are rules of Prometheus that name only metrics, labels and values that there are", () => {
  const { groups } = parse(readFileSync("deploy/prometheus-alerts.yaml", "utf8")) as {
    readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  expect(rules.length).toBeGreaterThan(9);
  for (const { expr, labels, annotations } of rules) {
    const named = [...expr.matchAll(/\bwaybill_\w+/g)].map(([name]) => metricOf(name));
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !metrics.has(name))).toEqual([]);
    expect(labels["severity"]).toMatch(/^(critical|warning)$/);
    expect(annotations["summary"]).toMatch(/\.$/);
    for (const [, name = "", label = ""] of expr.matchAll(/\b(waybill_\w+)\{(\w+)=/g)) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\``));
      expect(row).toContain(`\`${label}\``);
    }
  }
});
