import { readFileSync } from "node:fs";
import { type CpuUse, cpuBetween, readCpu } from "./cpu.ts";
import { drain } from "./drain.ts";
import { Load } from "./load.ts";
import { numbers, readOptions, servers } from "./options.ts";
import {
  cpuOf,
  deliver,
  type Figures,
  othersBusy,
  progress,
  quotient,
  rounded,
  summed,
} from "./report.ts";
import { type Aof, openStage } from "./stage.ts";
import { Subject } from "./subject.ts";

/**
 * What a resting instance takes in the engine's process and in the store and, with `--messages`, what an event costs
 * that is for any one of so many. Several sizes are reached one after the other, in one engine. Events are drained
 * from full queues; of those for one instance that are handled together only one record is written, so rounds should
 * hold few events for each instance where sizes are compared.
 */
const {
  json,
  instances: listed,
  ...settings
} = readOptions({
  name: "memory",
  measures: "A resting instance in memory, and an event for any one of so many instances.",
  options: {
    instances: ["100000", "how many rest, one number after the other, each larger than the last"],
    messages: [0, "events for random instances in a round; 0 leaves them out"],
    rounds: [3, "rounds after the first, unmeasured one"],
    seed: [1, "which instances are random"],
    ...servers,
  },
});
const sizes = numbers(listed);
const shown = (size: number) => size.toLocaleString("en");

/** The memory that a process has in use, in bytes. */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) * 1_024;
}

const stage = await openStage(settings.aof as Aof);
const place = { broker: stage.broker, prefix: "waybill", partitions: settings.partitions };
const load = await Load.open(place, sizes.at(-1) ?? 0, settings.seed);
const subject = await Subject.start("waybill.ts", { ...place, store: stage.store });
const all: CpuUse[] = [];

/** Starts as many as there are not yet. */
async function startUpTo(size: number): Promise<Figures> {
  const added = size - load.begun;
  const before = { engine: residentBytes(subject.pid), store: await stage.storeBytes() };
  const cpuBefore = readCpu([subject.pid]);
  progress(`Starting ${shown(added)} instances`);
  await load.begin(size);
  const use = cpuBetween(cpuBefore, readCpu([subject.pid]));
  all.push(use);
  const after = { engine: residentBytes(subject.pid), store: await stage.storeBytes() };
  return {
    ...summed([use], added),
    storeBytesPerInstance: Math.round((after.store - before.store) / added),
    engineBytesPerInstance: Math.round((after.engine - before.engine) / added),
    engineMb: rounded(after.engine / 1_048_576),
  };
}

/** Events for any of those that there are. */
async function play(size: number): Promise<Figures> {
  const { messages, rounds } = settings;
  const of = { name: `among ${shown(size)}`, load, subjects: [subject] };
  await drain(of, messages);
  const uses: CpuUse[] = [];
  for (let round = 0; round < rounds; round += 1) uses.push(await drain(of, messages));
  all.push(...uses);
  return summed(uses, messages * rounds);
}

try {
  const subjects: Record<string, Figures> = {};
  for (const size of sizes) {
    subjects[`${shown(size)} at rest`] = await startUpTo(size);
    if (settings.messages > 0) subjects[`event among ${shown(size)}`] = await play(size);
  }
  const [first = 0, last = 0] = [sizes[0], sizes.at(-1)];
  const ofEvents = (size: number) => subjects[`event among ${shown(size)}`];
  const isCompared = settings.messages > 0 && first !== last;
  deliver(
    {
      bench: "memory",
      unit: "one instance, started and at rest; one event for any of so many",
      settings: { instances: listed, ...settings },
      othersBusyCores: othersBusy(all),
      subjects,
      ...(isCompared && {
        ratio: {
          [`CPU of an event among ${shown(last)} / among ${shown(first)}`]: quotient(
            ofEvents(last),
            ofEvents(first),
            cpuOf,
          ),
        },
      }),
    },
    json,
  );
} finally {
  await load.close();
  await subject.stop();
  await stage.close();
}
