import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { CpuUse } from "./cpu.ts";
import { drain } from "./drain.ts";
import { Load } from "./load.ts";
import { deliver, type Figures, othersBusy, perUnit, quotient, speedOf } from "./report.ts";
import { type Aof, openStage } from "./stage.ts";
import { Subject } from "./subject.ts";

/** The same load on one engine process, then on more that share the partitions. */
const { values: options } = parseArgs({
  options: {
    processes: { type: "string", default: "1,2" },
    messages: { type: "string", default: "20000" },
    instances: { type: "string", default: "1000" },
    rounds: { type: "string", default: "3" },
    partitions: { type: "string", default: "32" },
    aof: { type: "string", default: "always" },
    json: { type: "boolean", default: false },
  },
});
const settings = {
  cores: availableParallelism(),
  messages: Number(options.messages),
  instances: Number(options.instances),
  rounds: Number(options.rounds),
  partitions: Number(options.partitions),
  aof: options.aof,
};
const counts = options.processes.split(",").map(Number);
/** By then a new process has its share of the partitions. */
const settleMs = 8_000;

const stage = await openStage(options.aof as Aof);
const place = { broker: stage.broker, prefix: "waybill", partitions: settings.partitions };
const load = await Load.open(place, settings.instances);
const subjects: Subject[] = [];
try {
  const all: CpuUse[] = [];
  const figures: Record<string, Figures> = {};
  for (const count of counts) {
    while (subjects.length < count) {
      subjects.push(await Subject.start("waybill.ts", { ...place, store: stage.store }));
    }
    if (all.length === 0) await load.begin();
    await sleep(settleMs);
    const name = `${count} ${count === 1 ? "process" : "processes"}`;
    await drain({ name, load, subjects }, settings.messages);
    const uses: CpuUse[] = [];
    for (let round = 0; round < settings.rounds; round += 1) {
      uses.push(await drain({ name, load, subjects }, settings.messages));
    }
    all.push(...uses);
    const units = settings.messages * settings.rounds;
    const seconds = uses.reduce((sum, use) => sum + use.seconds, 0);
    figures[name] = {
      perSecond: Math.round(units / seconds),
      cpuUsPerUnit: perUnit(uses, units),
    };
  }
  const [first, last] = [Object.values(figures)[0], Object.values(figures).at(-1)];
  deliver(
    {
      bench: "scale",
      unit: "one message in, one event out, durable",
      settings,
      othersBusyCores: othersBusy(all),
      subjects: figures,
      ratio: { "speed of the most / of the fewest": quotient(last, first, speedOf) },
    },
    options.json,
  );
} finally {
  await load.close();
  await Promise.all(subjects.map((subject) => subject.stop()));
  await stage.close();
}
