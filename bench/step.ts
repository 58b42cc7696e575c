import { createActor, transition } from "xstate";
import { Registry } from "../src/engine/registry.ts";
import type { Actor } from "../src/engine/statechart/actor.ts";
import { cpuBetween, readCpu } from "./cpu.ts";
import { readOptions } from "./options.ts";
import { parcel, parcelMachine, scans } from "./parcel.ts";
import { deliver, othersBusy, progress, rounded } from "./report.ts";

/** One event through one statechart, without a broker or a store: CPU time of this process alone. */
const { json, ...settings } = readOptions({
  name: "step",
  measures: "One event through one statechart, without a broker or a store.",
  options: {
    events: [40_000, "events in a round"],
    rounds: [5, "rounds after the first, unmeasured one"],
  },
});
const event = (index: number) => ({
  type: scans[index % scans.length] ?? scans[0],
  id: "p1",
  amount: 1,
  note: "x".repeat(150),
});
const { stepper } = new Registry([parcel]).latest("parcel");

function startedActor(): Actor {
  const started = stepper.start({ key: "parcel/p1", input: { id: "p1" }, now: 0 });
  if (started.kind !== "applied") throw new Error("The parcel does not start.");
  return started.actor;
}

/** The engine's pure step; with `pack` also the text that goes to the store. */
function stepped({ pack }: { readonly pack: boolean }): (index: number) => unknown {
  let actor = startedActor();
  return (index) => {
    const result = stepper.apply(actor, event(index), index);
    if (result.kind !== "applied") throw new Error(`The parcel refuses event ${index}.`);
    actor = result.actor;
    return pack ? JSON.stringify(stepper.pack(actor)) : actor;
  };
}

function live(): (index: number) => unknown {
  const actor = createActor(parcelMachine, { input: { id: "p1" } }).start();
  return (index) => actor.send(event(index));
}

/** XState's own pure function. */
function exported(): (index: number) => unknown {
  let snapshot = createActor(parcelMachine, { input: { id: "p1" } }).getSnapshot();
  return (index) => {
    [snapshot] = transition(parcelMachine, snapshot, event(index));
  };
}

/** What one does who keeps a snapshot between events. */
function restored(): (index: number) => unknown {
  const first = createActor(parcelMachine, { input: { id: "p1" } }).start();
  let text = JSON.stringify(first.getPersistedSnapshot());
  return (index) => {
    const snapshot = JSON.parse(text) as ReturnType<typeof first.getPersistedSnapshot>;
    const actor = createActor(parcelMachine, { snapshot, input: { id: "p1" } }).start();
    actor.send(event(index));
    text = JSON.stringify(actor.getPersistedSnapshot());
    actor.stop();
  };
}

const subjects = {
  "engine's step": stepped({ pack: false }),
  "engine's step and record": stepped({ pack: true }),
  "live actor": live(),
  "exported transition": exported(),
  "restored actor and record": restored(),
};
const used = new Map<string, number>();
const seen = new Map<string, number>();
const before = readCpu([]);
for (let round = -1; round < settings.rounds; round += 1) {
  progress(round < 0 ? "Warming up" : `Round ${round + 1}`);
  for (const [name, handle] of Object.entries(subjects)) {
    const began = process.cpuUsage();
    const first = seen.get(name) ?? 0;
    for (let index = 0; index < settings.events; index += 1) handle(first + index);
    const { user, system } = process.cpuUsage(began);
    seen.set(name, first + settings.events);
    if (round >= 0) used.set(name, (used.get(name) ?? 0) + user + system);
  }
}
const use = cpuBetween(before, readCpu([]));
const usPerEvent = (name: string) =>
  rounded((used.get(name) ?? 0) / (settings.events * settings.rounds), 2);
deliver(
  {
    bench: "step",
    unit: "one event through one statechart, in microseconds of CPU",
    settings,
    othersBusyCores: othersBusy([use]),
    subjects: Object.fromEntries(
      Object.keys(subjects).map((name) => [name, { usPerEvent: usPerEvent(name) }]),
    ),
    ratio: {
      "restored actor and record / engine's step and record": rounded(
        usPerEvent("restored actor and record") / usPerEvent("engine's step and record"),
        2,
      ),
    },
  },
  json,
);
