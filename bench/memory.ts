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
 * What a resting instance takes in the engine's process and in the store, and what an event costs that is for any one
 * of so many. Several sizes are reached one after the other, in one engine. With `--rate` events come at a steady rate,
 * so that batches are as large for every size. With `--messages` they are drained from full queues; events for one
 * instance in one batch are one write, so there the fewer instances there are, the less an event costs.
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
    rate: [0, "measure events for random instances, so many a second"],
    seconds: [10, "how long they come"],
    messages: [0, "measure events for random instances from full queues, so many in a round"],
    rounds: [3, "rounds after the first, unmeasured one"],
    seed: [1, "which instances are random"],
    ...servers,
  },
});
const sizes = numbers(listed);
const shown = (size: number) => size.toLocaleString("en");
const manners = ["at a rate", "drained"] as const;
const nameOf = (manner: (typeof manners)[number], size: number) =>
  `event ${manner} among ${shown(size)}`;

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

/** Events for any of those that there are, at a steady rate. */
async function steady(): Promise<Figures> {
  const { rate, seconds } = settings;
  await load.latencies(rate, 2);
  progress(`${rate}/s for ${seconds} s`);
  const before = readCpu([subject.pid]);
  const took = await load.latencies(rate, seconds);
  const use = cpuBetween(before, readCpu([subject.pid]));
  all.push(use);
  return summed([use], rate * seconds, took);
}

/** As many of them as can be done. */
async function drained(): Promise<Figures> {
  const { messages, rounds } = settings;
  const of = { name: `among ${shown(load.begun)}`, load, subjects: [subject] };
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
    if (settings.rate > 0) subjects[nameOf("at a rate", size)] = await steady();
    if (settings.messages > 0) subjects[nameOf("drained", size)] = await drained();
  }
  const [first = 0, last = 0] = [sizes[0], sizes.at(-1)];
  const ratios = manners.flatMap((manner) => {
    const [few, many] = [subjects[nameOf(manner, first)], subjects[nameOf(manner, last)]];
    if (first === last || few === undefined) return [];
    const name = `CPU of an event ${manner} among ${shown(last)} / among ${shown(first)}`;
    return [[name, quotient(many, few, cpuOf)] as const];
  });
  deliver(
    {
      bench: "memory",
      unit: "one instance, started and at rest; one event for any of so many",
      settings: { instances: listed, ...settings },
      othersBusyCores: othersBusy(all),
      subjects,
      ratio: Object.fromEntries(ratios),
    },
    json,
  );
} finally {
  await load.close();
  await subject.stop();
  await stage.close();
}
