import type { CpuUse } from "./cpu.ts";
import { drain } from "./drain.ts";
import { Load } from "./load.ts";
import { readOptions, servers } from "./options.ts";
import {
  cpuOf,
  deliver,
  engineCpuOf,
  type Figures,
  othersBusy,
  progress,
  quotient,
  speedOf,
  summed,
} from "./report.ts";
import { type Aof, openStage, type Stage } from "./stage.ts";
import { Subject } from "./subject.ts";

/**
 * One message in, one event out, everything durable: this engine, the same without history and index (`lean`), the bare
 * broker, and the path written by hand. With `--tracing` also this engine as it exports traces: the receiver is a process
 * of its own, whose CPU does not count.
 */
const files = {
  waybill: "waybill.ts",
  lean: "waybill.ts",
  traced: "waybill.ts",
  bridge: "bridge.ts",
  byHand: "by-hand.ts",
} as const;
type Name = keyof typeof files;
const names = Object.keys(files) as readonly Name[];
/** The path by hand is so much slower that it gets a part of the messages. */
const shareOf: Readonly<Record<Name, number>> = {
  waybill: 1,
  lean: 1,
  traced: 1,
  bridge: 1,
  byHand: 0.1,
};

interface Runner {
  readonly name: Name;
  readonly subject: Subject;
  readonly load: Load;
  readonly uses: CpuUse[];
  readonly latencies: number[];
  units: number;
}

const { json, only, profile, ...settings } = readOptions({
  name: "path",
  measures:
    "One message in, one event out: this engine, also without history and index, the bare broker, and the path by hand.",
  options: {
    messages: [20_000, "messages in a round"],
    instances: [1_000, "instances that the messages are for, in turn"],
    rounds: [5, "rounds after the first, unmeasured one"],
    rate: [100, "messages a second while latency is measured; 0 leaves it out"],
    seconds: [10, "how long latency is measured"],
    ...servers,
    only: ["waybill,lean,bridge,byHand", "what is measured"],
    tracing: [0, "measure also `traced`, with this share of traces sampled, 0 to 1"],
    profile: ["", "a folder for a CPU profile of the engine"],
  },
});

async function openRunner(stage: Stage, name: Name): Promise<Runner> {
  const { partitions, instances } = settings;
  const place = { broker: stage.broker, prefix: name, partitions };
  const load = await Load.open(place, instances);
  const isProfiled = files[name] === "waybill.ts" && profile !== "";
  const nodeOptions = isProfiled
    ? ["--cpu-prof", `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${name}.cpuprofile`]
    : [];
  const env = name === "traced" ? tracingOf(await receiver()) : {};
  const told = { ...place, store: stage.store, lean: name === "lean" };
  const subject = await Subject.start(files[name], told, { nodeOptions, env });
  await load.begin();
  progress(`${name} is ready`);
  return { name, subject, load, uses: [], latencies: [], units: 0 };
}

/** Where the traces go. */
async function receiver(): Promise<string> {
  collector = await Subject.start("otlp-receiver.ts", {});
  return collector.said;
}

function tracingOf(endpoint: string): Readonly<Record<string, string>> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: String(settings.tracing),
    // What is left of one round must not be exported in another one's.
    OTEL_BSP_SCHEDULE_DELAY: "200",
  };
}

/** What has arrived, also from before the first round: tracing that costs nothing may not have worked. */
async function received(): Promise<Figures> {
  if (collector === undefined) return {};
  const answer = await fetch(`${collector.said}/api/traces`);
  const { data } = (await answer.json()) as { data: readonly { spans: readonly object[] }[] };
  return { traces: data.length, spans: data.reduce((sum, { spans }) => sum + spans.length, 0) };
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

function ratios(subjects: Readonly<Record<string, Figures>>): Readonly<Record<string, number>> {
  const { waybill, lean, traced, bridge, byHand } = subjects;
  const all = {
    "traced CPU / waybill CPU": quotient(traced, waybill, cpuOf),
    "traced engine CPU / waybill engine CPU": quotient(traced, waybill, engineCpuOf),
    "byHand CPU / waybill CPU": quotient(byHand, waybill, cpuOf),
    "waybill CPU / bridge CPU": quotient(waybill, bridge, cpuOf),
    "lean CPU / bridge CPU": quotient(lean, bridge, cpuOf),
    "waybill speed / byHand speed": quotient(waybill, byHand, speedOf),
    "waybill speed / bridge speed": quotient(waybill, bridge, speedOf),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => !Number.isNaN(value)));
}

const stage = await openStage(settings.aof as Aof);
const runners: Runner[] = [];
let collector: Subject | undefined;
try {
  const wanted = [...only.split(","), ...(settings.tracing > 0 ? ["traced"] : [])];
  for (const name of names) if (wanted.includes(name)) runners.push(await openRunner(stage, name));
  await measure(runners);
  const subjects: Record<string, Figures> = Object.fromEntries(
    runners.map(({ name, uses, units, latencies }) => [name, summed(uses, units, latencies)]),
  );
  if (subjects["traced"]) subjects["traced"] = { ...subjects["traced"], ...(await received()) };
  deliver(
    {
      bench: "path",
      unit: "one message in, one event out, durable",
      settings,
      othersBusyCores: othersBusy(runners.flatMap(({ uses }) => uses)),
      subjects,
      ratio: ratios(subjects),
    },
    json,
  );
} finally {
  await Promise.all(runners.map(({ load }) => load.close()));
  await Promise.all(runners.map(({ subject }) => subject.stop()));
  await collector?.stop();
  await stage.close();
}
