import type { AnyMachineSnapshot, AnyStateNode } from "xstate";
import type { StateValue } from "../client.ts";
import type { Action } from "./actions.ts";
import type { Configuration } from "./configuration.ts";
import type { History } from "./domains.ts";
import type { Completion } from "./microstep-plan.ts";
import { type Candidates, candidatesFor, eventlessOf, type Transition } from "./transitions.ts";

/** Entering one state. */
export interface ReadyEntry {
  readonly actions: readonly Action[];
  /** Children that these actions start. */
  readonly invoked: readonly string[];
  readonly completions: readonly Completion[];
}

/** A microstep whose actions are looked up: nothing is left but to run them. */
export interface ReadyMicrostep {
  /** Of the states that are left, innermost first, then of the transitions. */
  readonly leaving: readonly Action[];
  readonly entering: readonly ReadyEntry[];
  /** Of all that is active afterwards, should the machine have ended. */
  readonly ending: readonly Action[];
  readonly next: ActiveStates;
  readonly staysInPlace: boolean;
  readonly remembered: History | undefined;
  /** What traces say of the transitions: ids of states, and names of guards. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly guards: readonly string[];
}

/** Types of events are a sender's to choose: what nobody reacts to must not fill memory. */
const mostTypes = 1_000;

/**
 * A set of active states in the order in which XState holds them in the middle of a step, and all that follows from it
 * alone. Each is made once.
 */
export class ActiveStates {
  readonly nodes: readonly AnyStateNode[];
  /** A snapshot in these states as XState makes it. */
  readonly template: AnyMachineSnapshot;
  /** The same states in the document's order; undefined when they contradict each other. */
  readonly configuration: Configuration | undefined;
  readonly eventless: readonly (readonly Transition[])[];
  /** What single transitions lead to, and several or such that depend on history, by name. */
  readonly known = new Map<Transition | string, ReadyMicrostep>();
  readonly #candidates = new Map<string, Candidates | undefined>();

  constructor(template: AnyMachineSnapshot, configuration: Configuration | undefined) {
    this.nodes = template._nodes;
    this.template = template;
    this.configuration = configuration;
    this.eventless = eventlessOf(this.nodes);
  }

  /** Which transitions events of a type could take. */
  candidates(type: string): Candidates | undefined {
    const known = this.#candidates.get(type);
    if (known !== undefined || this.#candidates.has(type)) return known;
    const { machine, value } = this.template;
    const found = candidatesFor(machine.root, value as StateValue, type);
    if (this.#candidates.size >= mostTypes) this.#candidates.clear();
    this.#candidates.set(type, found);
    return found;
  }
}
