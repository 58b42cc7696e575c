import type { Actor, ActorRecord } from "../../src/engine/statechart/actor.ts";
import { type Origin, Stepper, type StepResult } from "../../src/engine/step.ts";
import type { Workflow } from "../../src/workflow.ts";
import { canonical } from "./canonical.ts";
import type { HistoryEntry } from "./recorder.ts";
import { workflows } from "./workflows.ts";

/** What came of playing an instance's history from its beginning. */
export interface Replayed {
  readonly problems: readonly string[];
  /** How many messages each version emitted. */
  readonly emits: ReadonlyMap<number, number>;
}

const steppers = new Map(
  workflows
    .flatMap((workflow): readonly Workflow[] => [workflow, ...workflow.children.values()])
    .map((workflow) => [workflow.name, new Stepper(workflow)]),
);

/** Plays the history of an instance on a fresh stepper and compares the end with the stored actor. */
export function replay(
  key: string,
  history: readonly HistoryEntry[],
  stored: ActorRecord,
): Replayed {
  const stepper = steppers.get(key.slice(0, key.indexOf("/")));
  if (stepper === undefined) return { problems: [`${key}: no such workflow`], emits: new Map() };
  const emits = new Map<number, number>();
  let actor: Actor | undefined;
  for (const entry of history) {
    const result = playOne(stepper, key, actor, entry, stored);
    if (result.kind !== "applied") {
      const why = result.kind === "refused" ? result.reason : "?";
      return { problems: [`${key}: replay refuses ${entry.type} (${why})`], emits };
    }
    actor = result.actor;
    const state = canonical(stepper.view(actor).value);
    if (state !== canonical(entry.state)) {
      const problem = `${key}: replay of version ${entry.version} leads to ${state}`;
      return { problems: [problem], emits };
    }
    emits.set(entry.version, result.effects.filter(({ kind }) => kind === "emit").length);
  }
  if (actor === undefined) return { problems: [`${key} has no history`], emits };
  const end = comparable(stepper.pack(actor));
  const wanted = comparable(stored);
  const problems = end === wanted ? [] : [`${key}: replay ends in ${end}, stored is ${wanted}`];
  return { problems, emits };
}

function playOne(
  stepper: Stepper,
  key: string,
  actor: Actor | undefined,
  entry: HistoryEntry,
  { parent }: ActorRecord,
): StepResult {
  if (actor === undefined || entry.type === "waybill.start") {
    const start = { key, input: entry.payload, now: entry.at };
    return stepper.start(parent === undefined ? start : { ...start, parent });
  }
  if (/^waybill\.(stop|terminate)$/.test(entry.type)) return stepper.stop(actor);
  if (entry.type.startsWith("waybill.")) return unmoved(actor);
  const payload = entry.payload as Readonly<Record<string, unknown>> | undefined;
  const event = { ...payload, type: entry.type };
  return stepper.apply(actor, event, entry.at, originOf(actor, entry));
}

/** What operators do about an instance does not move it. */
function unmoved(actor: Actor): StepResult {
  const nothing = { effects: [], microsteps: [], handled: true, changed: false };
  return { kind: "applied", actor, ...nothing };
}

/** The history does not name the sender of an internal event; the actor knows who it can have been. */
function originOf(actor: Actor, { type }: HistoryEntry): Origin | undefined {
  const timer = actor.timers.find(({ event }) => event.type === type);
  if (timer !== undefined) return { timer: timer.name, generation: timer.generation };
  const child = actor.children.find(
    ({ id }) => type === `xstate.done.actor.${id}` || type === `xstate.error.actor.${id}`,
  );
  return child && { child: child.id, generation: child.generation };
}

/** Attempts of activities are counted without an event, so no history tells them. */
function comparable(record: ActorRecord): string {
  const children = (record.children ?? []).map((child) => ({ ...child, attempt: 0 }));
  return canonical({ ...record, version: 0, children });
}
