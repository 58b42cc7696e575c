import { setTimeout as sleep } from "node:timers/promises";
import { cpuBetween, readCpu } from "./cpu.ts";
import { Load } from "./load.ts";
import { readOptions, servers } from "./options.ts";
import { deliver, othersBusy, percentile, progress } from "./report.ts";
import { type Aof, openStage } from "./stage.ts";
import { Subject } from "./subject.ts";

/** Two engine processes under a steady load, and one of them is killed: how long an event waits at worst. */
const { json, ...settings } = readOptions({
  name: "recovery",
  measures:
    "How long an event waits when one of two engine processes is killed under a steady load.",
  options: {
    rate: [200, "events a second"],
    seconds: [20, "how long; one process is killed after a third"],
    instances: [1_000, "instances that the events are for"],
    ...servers,
  },
});

const stage = await openStage(settings.aof as Aof);
const place = { broker: stage.broker, prefix: "waybill", partitions: settings.partitions };
const load = await Load.open(place, settings.instances);
// Their lease is the engine's own: it decides how long the other one waits.
const told = { ...place, store: stage.store, leaseMs: 3_000 };
const one = await Subject.start("waybill.ts", told);
const other = await Subject.start("waybill.ts", told);
try {
  await load.begin();
  // Until each owns its half.
  await sleep(5_000);
  const pids = [one.pid, other.pid];
  const before = readCpu(pids);
  const measured = load.latencies(settings.rate, settings.seconds);
  await sleep((settings.seconds * 1_000) / 3);
  progress("Killing one of two processes");
  await other.kill();
  const took = await measured;
  const use = cpuBetween(before, readCpu(pids));
  deliver(
    {
      bench: "recovery",
      unit: "how long an event took while one of two engine processes was killed; all came out",
      settings,
      othersBusyCores: othersBusy([use]),
      subjects: {
        waybill: {
          p50Ms: percentile(took, 0.5),
          p90Ms: percentile(took, 0.9),
          p99Ms: percentile(took, 0.99),
          maxMs: percentile(took, 1),
        },
      },
    },
    json,
  );
} finally {
  await load.close();
  await one.stop();
  await stage.close();
}
