import { parseArgs } from "node:util";
import type { CpuUse } from "./cpu.ts";
import { drain } from "./drain.ts";
import { Load } from "./load.ts";
import {
  cpuOf,
  deliver,
  type Figures,
  othersBusy,
  percentile,
  perUnit,
  progress,
  quotient,
  speedOf,
} from "./report.ts";
import { type Aof, openStage, type Stage } from "./stage.ts";
import { Subject } from "./subject.ts";

/** One message in, one event out, everything durable: this engine, the bare broker, and the path written by hand. */
const files = { waybill: "waybill.ts", bridge: "bridge.ts", byHand: "by-hand.ts" } as const;
type Name = keyof typeof files;
const names = Object.keys(files) as readonly Name[];
/** The path by hand is so much slower that it gets a part of the messages. */
const shareOf: Readonly<Record<Name, number>> = { waybill: 1, bridge: 1, byHand: 0.1 };

interface Runner {
  readonly name: Name;
  readonly subject: Subject;
  readonly load: Load;
  readonly uses: CpuUse[];
  readonly latencies: number[];
  units: number;
}

const { values: options } = parseArgs({
  options: {
    messages: { type: "string", default: "20000" },
    instances: { type: "string", default: "1000" },
    partitions: { type: "string", default: "32" },
    rounds: { type: "string", default: "5" },
    rate: { type: "string", default: "100" },
    seconds: { type: "string", default: "10" },
    aof: { type: "string", default: "always" },
    only: { type: "string", default: names.join(",") },
    profile: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const settings = {
  messages: Number(options.messages),
  instances: Number(options.instances),
  partitions: Number(options.partitions),
  rounds: Number(options.rounds),
  rate: Number(options.rate),
  seconds: Number(options.seconds),
  aof: options.aof,
};

async function openRunner(stage: Stage, name: Name): Promise<Runner> {
  const { partitions, instances } = settings;
  const place = { broker: stage.broker, prefix: name, partitions };
  const load = await Load.open(place, instances);
  const isProfiled = name === "waybill" && options.profile !== undefined;
  const nodeOptions = isProfiled ? ["--cpu-prof", `--cpu-prof-dir=${options.profile}`] : [];
  const subject = await Subject.start(files[name], { ...place, store: stage.store }, nodeOptions);
  await load.begin();
  progress(`${name} is ready`);
  return { name, subject, load, uses: [], latencies: [], units: 0 };
}

function ofRunner({ name, load, subject }: Runner) {
  return { name, load, subjects: [subject] };
}

async function measure(runners: readonly Runner[]): Promise<void> {
  const { rounds, messages, rate, seconds } = settings;
  const unitsOf = ({ name }: Runner) => Math.round(messages * shareOf[name]);
  progress("Warming up");
  for (const runner of runners) await drain(ofRunner(runner), unitsOf(runner));
  for (let round = 0; round < rounds; round += 1) {
    for (const runner of runners) {
      runner.uses.push(await drain(ofRunner(runner), unitsOf(runner)));
      runner.units += unitsOf(runner);
    }
  }
  if (rate === 0) return;
  for (const { load, name, latencies } of runners) {
    progress(`${name} at ${rate}/s`);
    latencies.push(...(await load.latencies(rate, seconds)));
  }
}

function figuresOf({ uses, units, latencies }: Runner): Figures {
  const seconds = uses.reduce((sum, use) => sum + use.seconds, 0);
  return {
    perSecond: Math.round(units / seconds),
    cpuUsPerUnit: perUnit(uses, units),
    ...(latencies.length > 0 && {
      p50Ms: percentile(latencies, 0.5),
      p99Ms: percentile(latencies, 0.99),
    }),
  };
}

function ratios(subjects: Readonly<Record<string, Figures>>): Readonly<Record<string, number>> {
  const { waybill, bridge, byHand } = subjects;
  return {
    "byHand CPU / waybill CPU": quotient(byHand, waybill, cpuOf),
    "waybill CPU / bridge CPU": quotient(waybill, bridge, cpuOf),
    "waybill speed / byHand speed": quotient(waybill, byHand, speedOf),
    "waybill speed / bridge speed": quotient(waybill, bridge, speedOf),
  };
}

const stage = await openStage(options.aof as Aof);
const runners: Runner[] = [];
try {
  const wanted = options.only.split(",");
  for (const name of names) if (wanted.includes(name)) runners.push(await openRunner(stage, name));
  await measure(runners);
  const subjects = Object.fromEntries(runners.map((runner) => [runner.name, figuresOf(runner)]));
  deliver(
    {
      bench: "path",
      unit: "one message in, one event out, durable",
      settings,
      othersBusyCores: othersBusy(runners.flatMap(({ uses }) => uses)),
      subjects,
      ratio: ratios(subjects),
    },
    options.json,
  );
} finally {
  await Promise.all(runners.map(({ load }) => load.close()));
  await Promise.all(runners.map(({ subject }) => subject.stop()));
  await stage.close();
}
