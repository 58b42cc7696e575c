import type { AnyEventObject } from "xstate";
import type { Actor, ActorRecord } from "../../src/engine/statechart/actor.ts";
import { type Origin, Stepper, type StepResult } from "../../src/engine/step.ts";
import type { Workflow } from "../../src/workflow.ts";
import { canonical } from "./canonical.ts";

/** One entry of an instance's history, as the engine writes it. */
export interface HistoryEntry {
  readonly at: number;
  readonly version: number;
  readonly type: string;
  readonly messageId?: string;
  readonly payload?: unknown;
  readonly state: unknown;
}

/** A timer that fired, in milliseconds of the store's clock. */
export interface Firing {
  readonly id: string;
  readonly due: number;
  readonly at: number;
}

/** What came of playing an instance's history from its beginning. */
export interface Replayed {
  readonly problems: readonly string[];
  /** What each version emitted. */
  readonly emits: ReadonlyMap<number, readonly AnyEventObject[]>;
  readonly firings: readonly Firing[];
}

/** Plays histories again: what an engine has stored must be what its own steps lead to. */
export class Replayer {
  readonly #steppers: ReadonlyMap<string, Stepper>;

  constructor(workflows: readonly Workflow[]) {
    const all = workflows.flatMap((workflow) => [workflow, ...workflow.children.values()]);
    this.#steppers = new Map(
      all.map((workflow) => [`${workflow.name}@${workflow.version}`, new Stepper(workflow)]),
    );
  }

  /** Plays the history of an instance on a fresh stepper and compares the end with the stored actor. */
  replay(
    key: string,
    history: readonly HistoryEntry[],
    stored: ActorRecord,
    version = "1",
  ): Replayed {
    const emits = new Map<number, readonly AnyEventObject[]>();
    const firings: Firing[] = [];
    const failed = (problem: string): Replayed => ({ problems: [problem], emits, firings });
    const stepper = this.#steppers.get(`${key.slice(0, key.indexOf("/"))}@${version}`);
    if (stepper === undefined) return failed(`${key}: no such workflow in version ${version}`);
    let actor: Actor | undefined;
    for (const entry of history) {
      const timer = actor?.timers.find(({ event }) => event.type === entry.type);
      if (timer) firings.push({ id: `${key}#${timer.name}`, due: timer.due, at: entry.at });
      const result = playOne(stepper, key, actor, entry, stored);
      if (result.kind !== "applied") {
        const why = result.kind === "refused" ? result.reason : "?";
        return failed(`${key}: replay refuses ${entry.type} (${why})`);
      }
      actor = result.actor;
      const state = canonical(stepper.view(actor).value);
      if (state !== canonical(entry.state)) {
        return failed(`${key}: replay of version ${entry.version} leads to ${state}`);
      }
      emits.set(entry.version, emittedBy(result));
    }
    if (actor === undefined) return failed(`${key} has no history`);
    const end = comparable(stepper.pack(actor));
    const wanted = comparable(stored);
    const problems = end === wanted ? [] : [`${key}: replay ends in ${end}, stored is ${wanted}`];
    return { problems, emits, firings };
  }
}

function emittedBy({ effects }: StepResult & { kind: "applied" }): readonly AnyEventObject[] {
  return effects.flatMap((effect) => (effect.kind === "emit" ? [effect.event] : []));
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
