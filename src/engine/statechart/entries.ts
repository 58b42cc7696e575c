import type { AnyStateNode } from "xstate";
import { childStates } from "../../workflow-states.ts";
import {
  ancestorsOf,
  effectiveTargets,
  type History,
  historyDefault,
  isDescendant,
  targetsOf,
  transitionDomain,
} from "./domains.ts";
import type { Transition } from "./transitions.ts";

/** The states that transitions enter, and those of them that are entered by default, not as somebody's target. */
export interface Entries {
  readonly states: ReadonlySet<AnyStateNode>;
  readonly byDefault: ReadonlySet<AnyStateNode>;
}

/** SCXML's computeEntrySet, with XState's notion of which states are entered by default. */
export function entriesOf(
  transitions: readonly Transition[],
  history: History,
  isFirst: boolean,
): Entries {
  const collector = new Collector(history);
  for (const transition of transitions) collector.take(transition);
  const root = transitions[0]?.source.machine.root;
  if (isFirst && root !== undefined) collector.byDefault.add(root);
  return collector;
}

/** In the order in which they are entered: the document's. */
export function byEntry({ states }: Entries): readonly AnyStateNode[] {
  return [...states].toSorted((one, other) => one.order - other.order);
}

class Collector implements Entries {
  readonly states = new Set<AnyStateNode>();
  readonly byDefault = new Set<AnyStateNode>();
  readonly #history: History;

  constructor(history: History) {
    this.#history = history;
  }

  take(transition: Transition): void {
    const { source, reenter } = transition;
    const domain = transitionDomain(transition, this.#history);
    for (const target of targetsOf(transition)) {
      const isOutside = source !== target || source !== domain || reenter;
      if (target.type !== "history" && isOutside) this.#enterByDefault(target);
      this.#enterBelow(target);
    }
    const limit = source.parent === undefined && reenter ? undefined : domain;
    for (const target of effectiveTargets(transition, this.#history)) {
      const around = domain?.type === "parallel" ? [domain] : [];
      this.#enterAround([...ancestorsOf(target, domain), ...around], limit);
    }
  }

  #enterByDefault(state: AnyStateNode): void {
    this.states.add(state);
    this.byDefault.add(state);
  }

  #enterBelow(state: AnyStateNode): void {
    if (state.type === "history") return this.#enterRemembered(state);
    if (state.type === "parallel") return this.#enterRegions(state, true);
    if (state.type !== "compound") return;
    const [initial] = state.initial.target as readonly AnyStateNode[];
    if (initial === undefined) return;
    if (initial.type !== "history") this.#enterByDefault(initial);
    this.#enterBelow(initial);
    this.#enterAround(ancestorsOf(initial, state), undefined);
  }

  #enterRemembered(state: AnyStateNode): void {
    const { parent } = state;
    const known = this.#history[state.id];
    const fallback = historyDefault(state);
    const targets = known ?? targetsOf(fallback);
    for (const target of targets) {
      this.states.add(target);
      const isInitial = known === undefined && fallback === parent?.initial;
      if (isInitial && parent !== undefined) this.byDefault.add(parent);
      this.#enterBelow(target);
    }
    for (const target of targets) this.#enterAround(ancestorsOf(target, parent), undefined);
  }

  /** The regions of a parallel state of which nothing is entered yet. */
  #enterRegions(state: AnyStateNode, byDefault: boolean): void {
    for (const region of childStates(state)) {
      if (region.type === "history") continue;
      if ([...this.states].some((entered) => isDescendant(entered, region))) continue;
      if (byDefault) this.byDefault.add(region);
      this.states.add(region);
      this.#enterBelow(region);
    }
  }

  #enterAround(ancestors: readonly AnyStateNode[], limit: AnyStateNode | undefined): void {
    for (const ancestor of ancestors) {
      if (limit === undefined || isDescendant(ancestor, limit)) this.states.add(ancestor);
      if (ancestor.type === "parallel") this.#enterRegions(ancestor, false);
    }
  }
}
