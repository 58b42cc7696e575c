import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from "xstate";
import { type ErrorRecord, toErrorRecord } from "../errors.ts";
import type { Workflow } from "../workflow.ts";
import type { StateValue } from "./client.ts";
import { acceptedEvents } from "./statechart/accepts.ts";
import type { Draft } from "./statechart/actions.ts";
import type { Actor, ActorRecord, Parent, TimerRecord } from "./statechart/actor.ts";
import { admit, type Origin } from "./statechart/admission.ts";
import { Chart } from "./statechart/chart.ts";
import { type Configuration, Configurations, fingerprintOf } from "./statechart/configuration.ts";
import { accountFor } from "./statechart/effect-account.ts";
import type { Effect } from "./statechart/effects.ts";
import { ChildReference, InertScope, inertMachine } from "./statechart/inert.ts";
import { Ledger } from "./statechart/ledger.ts";
import { Macrostep, type Microstep } from "./statechart/macrostep.ts";
import { plain } from "./statechart/plain.ts";
import { packActor, unpackActor } from "./statechart/records.ts";
import { type ShownState, shownState } from "./statechart/shown-state.ts";

export type { Origin } from "./statechart/admission.ts";

/** What one event did. A refusal leaves the actor as it was. */
export type StepResult =
  | {
      readonly kind: "applied";
      readonly actor: Actor;
      /** In the order in which they are to happen. */
      readonly effects: readonly Effect[];
      readonly microsteps: readonly Microstep[];
      /** False when no transition was selected. */
      readonly handled: boolean;
      /** False when nothing but the version differs; without `handled` the actor is the same object. */
      readonly changed: boolean;
    }
  | {
      readonly kind: "refused";
      readonly reason: "stale" | "ended" | "reserved" | "threw";
      readonly error?: ErrorRecord;
    };

/** What can be shown of an actor. */
export interface ActorView {
  readonly value: StateValue;
  readonly tags: readonly string[];
  readonly status: "active" | "done" | "error" | "stopped";
  readonly context: unknown;
  readonly output: unknown;
  readonly error: unknown;
}

type Applied = Extract<StepResult, { kind: "applied" }>;

const certain = { microsteps: [], handled: true, changed: true } as const;

/** An actor before its first step. */
type Unborn = Omit<Actor, "snapshot"> & { readonly snapshot: undefined };

/** Computes what events do to the actors of one workflow. Pure: no clock, no chance, nothing is started. */
export class Stepper {
  /** Names the structure of the machine; differs when states, transitions, delays or invokes do. */
  readonly fingerprint: string;
  readonly #workflow: Workflow;
  readonly #machine: AnyStateMachine;
  readonly #configurations: Configurations;
  readonly #scope = new InertScope();
  readonly #chart: Chart;
  readonly #accepted = new WeakMap<Configuration, readonly string[]>();
  /** By the set of tags: of each set of active states there is one, which all instances in them share. */
  readonly #shown = new WeakMap<ReadonlySet<string>, ShownState>();

  constructor(workflow: Workflow) {
    this.#workflow = workflow;
    this.#machine = inertMachine(workflow.machine);
    this.#configurations = new Configurations(this.#machine);
    this.#chart = new Chart(this.#machine, this.#configurations, this.#scope);
    this.fingerprint = fingerprintOf(workflow.machine);
  }

  /** The actor after its first step. `now` is in milliseconds since the Unix epoch, as everywhere here. */
  start(start: {
    readonly key: string;
    readonly input: unknown;
    readonly now: number;
    readonly parent?: Parent;
    /** How many generations an earlier incarnation of this key has given out. */
    readonly generations?: number;
  }): StepResult {
    const { key, input, now, parent, generations = 0 } = start;
    const none = { snapshot: undefined, timers: [], children: [] };
    const unborn: Unborn = { key, version: 0, generations, ...none };
    const actor = parent === undefined ? unborn : { ...unborn, parent };
    return this.#run(actor, undefined, now, () =>
      Macrostep.start(this.#chart, this.#scope, plain(input, "input")),
    );
  }

  /**
   * Applies one event. Events of timers and children need their origin, whose generation is compared with
   * the record: what comes from an earlier visit of a state is `stale`. Live XState would still take a result
   * that a child gives in the very step in which its state is left; here children only run after the commit.
   */
  apply(actor: Actor, event: AnyEventObject, now: number, origin?: Origin): StepResult {
    const admission = admit(actor, event, origin);
    if (admission.kind === "refused") return admission;
    if (admission.kind === "delivery") return deliver(admission.actor, admission.timer);
    const { snapshot } = actor;
    return this.#run(admission.actor, actor, now, () =>
      Macrostep.apply(this.#chart, this.#scope, { snapshot, event }),
    );
  }

  /** Ends an actor from outside: its timers and children go, no exit action runs. */
  stop(actor: Actor): StepResult {
    if (actor.snapshot.status !== "active") return { kind: "refused", reason: "ended" };
    const ledger = new Ledger(actor, 0);
    ledger.clear();
    ledger.add({ kind: "end", status: "stopped" });
    const snapshot = { ...actor.snapshot, status: "stopped", children: {} } as AnyMachineSnapshot;
    return done(actor, snapshot, ledger);
  }

  /** The actor as data for the store. It shares its frozen parts with the actor. */
  pack(actor: Actor): ActorRecord {
    return packActor(actor, this.fingerprint);
  }

  /**
   * The actor of a record, which is taken over and frozen.
   * @throws WaybillError `migration-needed` when the machine has changed so that the record does not fit.
   */
  unpack(record: ActorRecord): Actor {
    return unpackActor(record, {
      machine: this.#machine,
      configurations: this.#configurations,
      fingerprint: this.fingerprint,
    });
  }

  /** The types of events that some active state reacts to (its guards left aside), sorted. */
  accepts(actor: Actor): readonly string[] {
    if (actor.snapshot.status !== "active") return [];
    const configuration = this.#configurations.ofValue(actor.snapshot.value);
    const known = this.#accepted.get(configuration);
    if (known !== undefined) return known;
    const accepted = acceptedEvents(configuration.nodes, [...this.#workflow.events.keys()]);
    this.#accepted.set(configuration, accepted);
    return accepted;
  }

  view(actor: Actor): ActorView {
    const { value, status, context, output, error } = actor.snapshot;
    const { tags } = this.shown(actor);
    return { value: value as StateValue, tags, status, context, output, error };
  }

  /** Its states as they are shown and found. */
  shown({ snapshot: { value, tags } }: Actor): ShownState {
    const known = this.#shown.get(tags);
    if (known !== undefined) return known;
    const shown = shownState(value, tags);
    this.#shown.set(tags, shown);
    return shown;
  }

  /** `before` is the actor as the caller has it, `actor` the same without what the event has used up. */
  #run(
    actor: Actor | Unborn,
    before: Actor | undefined,
    now: number,
    compute: () => ReturnType<typeof Macrostep.apply>,
  ): StepResult {
    const { key, snapshot, parent } = actor;
    this.#scope.begin({ key, snapshot, isChild: parent !== undefined });
    try {
      return this.#settle(actor, before, compute(), now);
    } catch (error) {
      return { kind: "refused", reason: "threw", error: toErrorRecord(error) };
    }
  }

  #settle(
    actor: Actor | Unborn,
    before: Actor | undefined,
    { step: { microsteps }, next }: ReturnType<typeof Macrostep.apply>,
    now: number,
  ): StepResult {
    const { actions, untargeted } = this.#scope;
    const isNew = next !== actor.snapshot;
    const handled = isHandled(before, next, microsteps);
    if (before === actor && !handled && !isNew && actions.length === 0) {
      return { kind: "applied", actor: before, effects: [], microsteps, handled, changed: false };
    }
    const ledger = new Ledger(actor, now);
    if (isNew) this.#normalise(next as Draft, actor.snapshot);
    accountFor(ledger, {
      actions,
      untargeted,
      implementations: this.#machine.implementations.actions,
      isChild: (source) => this.#workflow.children.has(source),
      before: actor.snapshot?.children ?? {},
      next,
    });
    if (isNew) (next as Draft).children = referencesTo(ledger);
    const changed = isNew || ledger.effects.length > 0 || actor !== before;
    return done(actor, next, ledger, { microsteps, handled, changed });
  }

  /** Makes a new snapshot the same as one that comes out of the store. */
  #normalise(next: Draft, previous: AnyMachineSnapshot | undefined): void {
    if (next.context !== previous?.context) next.context = plain(next.context, "context");
    if (next.output !== undefined) next.output = plain(next.output, "output");
    if (next.status === "error") next.error = plain(toErrorRecord(next.error), "error");
  }
}

function isHandled(
  before: Actor | undefined,
  next: AnyMachineSnapshot,
  microsteps: readonly Microstep[],
): boolean {
  if (before === undefined || next.status !== "active") return true;
  return microsteps.some(({ from }) => from.length > 0);
}

/** A step with the next version of the actor. */
function done(
  { key, version, parent }: Actor | Unborn,
  snapshot: AnyMachineSnapshot,
  { timers, children, generations, effects }: Ledger,
  how: Pick<Applied, "microsteps" | "handled" | "changed"> = certain,
): Applied {
  const actor = { key, version: version + 1, snapshot, timers, children, generations };
  const { microsteps, handled, changed } = how;
  const next = parent === undefined ? actor : { ...actor, parent };
  return { kind: "applied", actor: next, effects, microsteps, handled, changed };
}

function referencesTo({ children }: Ledger): Record<string, never> {
  const references: Record<string, ChildReference> = {};
  for (const child of children) references[child.id] = new ChildReference(child);
  return references as Record<string, never>;
}

/** A delayed send that is due goes to whom it was addressed, if that one is still the same. */
function deliver(actor: Actor, { target, event }: TimerRecord): StepResult {
  const ledger = new Ledger(actor, 0);
  if (target !== undefined && ledger.reaches(target)) ledger.send(target, event);
  return done(actor, actor.snapshot, ledger);
}
