import { expect, test } from "vitest";
import { Metrics } from "../../../src/telemetry/metrics.ts";

const nothing = { ready: true, owned: [], partitions: [] };

test("Metrics count what was observed by workflow, state, outcome and reason, never by instance", () => {
  const metrics = new Metrics();
  const key = "order/1";
  metrics.observe({ kind: "started", key, state: "a" });
  metrics.observe({ kind: "started", key: "order/2", state: "a" });
  metrics.observe({ kind: "applied", key, type: "go", from: "a", to: "b", version: 2 });
  metrics.observe({ kind: "ended", key, status: "done", state: '"b"', output: 1 });
  metrics.observe({ kind: "failed", key, type: "go", error: "no" });
  metrics.observe({ kind: "set-aside", key, type: "go", outcome: "duplicate" });
  metrics.observe({
    kind: "dead-letter",
    id: "1",
    messageId: undefined,
    key: undefined,
    type: "go",
    reason: "no-instance",
    detail: "",
  });
  metrics.observe({
    kind: "activity",
    key,
    name: "pay",
    attempt: 1,
    outcome: "failed",
    durationMs: 30,
  });
  metrics.observe({ kind: "partition", partition: 1, change: "claimed", epoch: 1, reason: "" });
  metrics.observe({ kind: "trouble", where: "store", message: "away" });
  const lines = metrics.text(nothing).split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      'waybill_instances_started_total{workflow="order"} 2',
      'waybill_events_applied_total{workflow="order"} 1',
      'waybill_instances_ended_total{workflow="order",status="done",state="b"} 1',
      'waybill_instances_failed_total{workflow="order"} 1',
      'waybill_messages_set_aside_total{workflow="order",outcome="duplicate"} 1',
      'waybill_dead_letters_total{workflow="",reason="no-instance"} 1',
      'waybill_activity_attempts_total{workflow="order",activity="pay",outcome="failed"} 1',
      'waybill_partition_changes_total{change="claimed"} 1',
      'waybill_troubles_total{where="store"} 1',
      "waybill_activity_duration_seconds_sum 0.03",
    ]),
  );
});

test("Histograms count each value in every bucket that it fits in", () => {
  const metrics = new Metrics();
  metrics.observe({ kind: "committed", partition: 1, messages: 3, durationMs: 4 });
  metrics.observe({ kind: "committed", partition: 1, messages: 300, durationMs: 60_000 });
  metrics.observe({ kind: "timer-fired", key: "order/1", lateMs: 20 });
  const lines = metrics.text(nothing).split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      "# TYPE waybill_batch_messages histogram",
      'waybill_batch_messages_bucket{le="2"} 0',
      'waybill_batch_messages_bucket{le="4"} 1',
      'waybill_batch_messages_bucket{le="256"} 1',
      'waybill_batch_messages_bucket{le="+Inf"} 2',
      "waybill_batch_messages_sum 303",
      'waybill_commit_duration_seconds_bucket{le="0.0025"} 0',
      'waybill_commit_duration_seconds_bucket{le="0.005"} 1',
      "waybill_commit_duration_seconds_sum 60.004",
      'waybill_timer_lateness_seconds_bucket{le="0.01"} 0',
      'waybill_timer_lateness_seconds_bucket{le="0.025"} 1',
    ]),
  );
});

test("What the store knows is told for each partition, and labels are escaped", () => {
  const metrics = new Metrics();
  metrics.observe({ kind: "ended", key: "o/1", status: "done", state: '{"a":"b"}', output: 1 });
  const partitions = [{ partition: 3, outboxEntries: 2, timers: 5, deadLetters: 1 }];
  const text = metrics.text({ ready: false, owned: [3], partitions });
  expect(text).toContain('state="{\\"a\\":\\"b\\"}"');
  expect(text.endsWith("\n")).toBe(true);
  expect(text.split("\n")).toEqual(
    expect.arrayContaining([
      "waybill_ready 0",
      "waybill_partitions_owned 1",
      'waybill_outbox_entries{partition="3"} 2',
      'waybill_timers_armed{partition="3"} 5',
      'waybill_dead_letters{partition="3"} 1',
    ]),
  );
});
