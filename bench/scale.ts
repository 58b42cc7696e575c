import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { CpuUse } from "./cpu.ts";
import { drain } from "./drain.ts";
import { Load } from "./load.ts";
import { numbers, readOptions, servers } from "./options.ts";
import { deliver, type Figures, othersBusy, quotient, speedOf, summed } from "./report.ts";
import { type Aof, openStage } from "./stage.ts";
import { Subject } from "./subject.ts";

/** The same load on one engine process, then on more that share the partitions. */
const { json, processes, ...sizes } = readOptions({
  name: "scale",
  measures: "The same load on one engine process, then on more that share the partitions.",
  options: {
    processes: ["1,2", "how many processes, one number after the other"],
    messages: [20_000, "messages in a round"],
    instances: [1_000, "instances that the messages are for, in turn"],
    rounds: [3, "rounds after the first, unmeasured one"],
    ...servers,
  },
});
const settings = { cores: availableParallelism(), ...sizes };
const counts = numbers(processes);
/** By then a new process has its share of the partitions. */
const settleMs = 8_000;

const stage = await openStage(settings.aof as Aof);
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
    figures[name] = summed(uses, units);
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
    json,
  );
} finally {
  await load.close();
  await Promise.all(subjects.map((subject) => subject.stop()));
  await stage.close();
}
