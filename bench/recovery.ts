import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { cpuBetween, readCpu } from "./cpu.ts";
import { Load } from "./load.ts";
import { deliver, othersBusy, percentile, progress } from "./report.ts";
import { type Aof, openStage } from "./stage.ts";
import { Subject } from "./subject.ts";

/** Two engine processes under a steady load, and one of them is killed: how long an event waits at worst. */
const { values: options } = parseArgs({
  options: {
    rate: { type: "string", default: "200" },
    seconds: { type: "string", default: "20" },
    instances: { type: "string", default: "1000" },
    partitions: { type: "string", default: "32" },
    aof: { type: "string", default: "always" },
    json: { type: "boolean", default: false },
  },
});
const settings = {
  rate: Number(options.rate),
  seconds: Number(options.seconds),
  instances: Number(options.instances),
  partitions: Number(options.partitions),
  aof: options.aof,
};

const stage = await openStage(options.aof as Aof);
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
    options.json,
  );
} finally {
  await load.close();
  await one.stop();
  await stage.close();
}
