import { type CpuUse, cpuBetween, readCpu } from "./cpu.ts";
import { Load } from "./load.ts";
import { numbers, readOptions, servers } from "./options.ts";
import { deliver, type Figures, othersBusy, percentile, perUnit, progress } from "./report.ts";
import { type Aof, openStage } from "./stage.ts";
import { Subject } from "./subject.ts";

/** From publishing one message to hearing of the event that it led to, at steady rates. */
const {
  json,
  rates: listed,
  ...settings
} = readOptions({
  name: "latency",
  measures: "From publishing one message to hearing of the event that it led to, at steady rates.",
  options: {
    rates: ["20,100,1000", "messages a second, one rate after the other"],
    seconds: [10, "how long at each rate; the first second is not measured"],
    instances: [1_000, "instances that the messages are for, in turn"],
    warmUp: [5_000, "messages before, as fast as they go, so that code is compiled"],
    ...servers,
  },
});
const rates = numbers(listed);
const { seconds, instances, warmUp, partitions } = settings;
const files = { waybill: "waybill.ts", bridge: "bridge.ts", byHand: "by-hand.ts" };

const stage = await openStage(settings.aof as Aof);
const open = await Promise.all(
  Object.entries(files).map(async ([name, file]) => {
    const place = { broker: stage.broker, prefix: name, partitions };
    const load = await Load.open(place, instances);
    const subject = await Subject.start(file, { ...place, store: stage.store });
    await load.begin();
    return { name, load, subject };
  }),
);
try {
  const uses: CpuUse[] = [];
  const subjects: Record<string, Figures> = {};
  for (const { load } of open) {
    await load.fill(warmUp);
    await load.drained(warmUp);
    await load.collect(warmUp);
    await load.latencies(200, 5);
  }
  for (const rate of rates) {
    for (const { name, load, subject } of open) {
      progress(`${name} at ${rate}/s`);
      const before = readCpu([subject.pid]);
      const took = await load.latencies(rate, seconds);
      const use = cpuBetween(before, readCpu([subject.pid]));
      uses.push(use);
      subjects[`${name} ${rate}/s`] = {
        p50Ms: percentile(took, 0.5),
        p90Ms: percentile(took, 0.9),
        p99Ms: percentile(took, 0.99),
        maxMs: percentile(took, 1),
        cpuUsPerUnit: perUnit([use], rate * seconds),
      };
    }
  }
  deliver(
    {
      bench: "latency",
      unit: "from publishing one message to hearing of its event, in milliseconds",
      settings,
      othersBusyCores: othersBusy(uses),
      subjects,
    },
    json,
  );
} finally {
  await Promise.all(open.map(({ load }) => load.close()));
  await Promise.all(open.map(({ subject }) => subject.stop()));
  await stage.close();
}
