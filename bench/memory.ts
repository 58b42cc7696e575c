import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cpuBetween, readCpu } from "./cpu.ts";
import { Load } from "./load.ts";
import { deliver, othersBusy, perUnit, progress, rounded } from "./report.ts";
import { type Aof, openStage } from "./stage.ts";
import { Subject } from "./subject.ts";

/** What a resting instance takes in the engine's process and in the store. */
const { values: options } = parseArgs({
  options: {
    instances: { type: "string", default: "100000" },
    partitions: { type: "string", default: "32" },
    aof: { type: "string", default: "always" },
    json: { type: "boolean", default: false },
  },
});
const settings = {
  instances: Number(options.instances),
  partitions: Number(options.partitions),
  aof: options.aof,
};

/** The memory that a process has in use, in bytes. */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) * 1_024;
}

const stage = await openStage(options.aof as Aof);
const place = { broker: stage.broker, prefix: "waybill", partitions: settings.partitions };
const load = await Load.open(place, settings.instances);
const subject = await Subject.start("waybill.ts", { ...place, store: stage.store });
try {
  const before = { engine: residentBytes(subject.pid), store: await stage.storeBytes() };
  const cpuBefore = readCpu([subject.pid]);
  progress(`Starting ${settings.instances} instances`);
  await load.begin();
  const use = cpuBetween(cpuBefore, readCpu([subject.pid]));
  const after = { engine: residentBytes(subject.pid), store: await stage.storeBytes() };
  const each = (bytes: number) => Math.round(bytes / settings.instances);
  deliver(
    {
      bench: "memory",
      unit: "one instance, started and at rest",
      settings,
      othersBusyCores: othersBusy([use]),
      subjects: {
        waybill: {
          perSecond: Math.round(settings.instances / use.seconds),
          cpuUsPerUnit: perUnit([use], settings.instances),
          storeBytesPerInstance: each(after.store - before.store),
          engineBytesPerInstance: each(after.engine - before.engine),
          engineMb: rounded(after.engine / 1_048_576),
        },
      },
    },
    options.json,
  );
} finally {
  await load.close();
  await subject.stop();
  await stage.close();
}
