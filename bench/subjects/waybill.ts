import { setTimeout as sleep } from "node:timers/promises";
import { createEngine } from "../../src/index.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { alarm } from "../alarm.ts";
import { localOrder, queuedOrder } from "../order.ts";
import { parcel } from "../parcel.ts";
import { ready, settings } from "./settings.ts";

// This engine with its default settings: history, index and metrics on, no tracing. Only its lease is longer: it
// stands still while its queues are filled.
const { broker, store, prefix, partitions, leaseMs = 30_000 } = settings();
const engine = createEngine({
  workflows: [parcel, alarm, localOrder, queuedOrder],
  broker,
  store,
  prefix,
  partitions,
  observer: new Metrics(),
  limits: { leaseMs },
});
await engine.start();
while (!(await engine.client.health()).ready) await sleep(50);
ready(() => engine.stop());
