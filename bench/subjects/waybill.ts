import { setTimeout as sleep } from "node:timers/promises";
import { createEngine } from "../../src/index.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { openTracing, telemetrySettings } from "../../src/telemetry/open-tracing.ts";
import { alarm } from "../alarm.ts";
import { localOrder, queuedOrder } from "../order.ts";
import { parcelOf } from "../parcel.ts";
import { ready, settings } from "./settings.ts";

// This engine with its default settings: history, index and metrics on, traces where the environment asks for them.
// Only its lease is longer: it stands still while its queues are filled. When told so it is lean: history and index off.
const { broker, store, prefix, partitions, leaseMs = 30_000, lean = false } = settings();
const telemetry = telemetrySettings(process.env);
const tracing = telemetry.traces
  ? openTracing({ settings: telemetry, system: "rabbitmq", service: "bench" })
  : undefined;
const engine = createEngine({
  workflows: [parcelOf({ lean }), alarm, localOrder, queuedOrder],
  broker,
  store,
  prefix,
  partitions,
  observer: new Metrics(),
  ...(tracing !== undefined && { tracer: tracing.tracer }),
  limits: { leaseMs },
});
await engine.start();
while (!(await engine.client.health()).ready) await sleep(50);
ready(async () => {
  await engine.stop();
  await tracing?.close();
});
