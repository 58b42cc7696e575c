import { setTimeout as sleep } from "node:timers/promises";
import { createEngine } from "../../src/index.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { alarm } from "../alarm.ts";
import { parcel } from "../parcel.ts";
import { ready, settings } from "./settings.ts";

// This engine with its default settings: history, index and metrics on, no tracing.
const { broker, store, prefix, partitions } = settings();
const engine = createEngine({
  workflows: [parcel, alarm],
  broker,
  store,
  prefix,
  partitions,
  observer: new Metrics(),
});
await engine.start();
while (!(await engine.client.health()).ready) await sleep(50);
ready(() => engine.stop());
