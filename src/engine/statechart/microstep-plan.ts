import type { AnyStateNode } from "xstate";
import { childStates } from "../../workflow-states.ts";
import { type History, isDescendant, targetsOf, transitionDomain } from "./domains.ts";
import { byEntry, type Entries, entriesOf } from "./entries.ts";
import type { Transition } from "./transitions.ts";

/** What follows from entering a final state, in order: done events, and the end of the machine. */
export type Completion =
  | { readonly kind: "done-state"; readonly id: string; readonly output?: unknown }
  | { readonly kind: "done-machine"; readonly completed: AnyStateNode };

/** One state that is entered. */
export interface Entry {
  readonly node: AnyStateNode;
  /** Actions of the initial transition, when it is entered by default. */
  readonly initialActions: readonly unknown[];
  readonly completions: readonly Completion[];
}

/** Everything about one microstep that depends on nothing but the active states and the transitions taken. */
export interface MicrostepPlan {
  /** Without those that another one preempts. */
  readonly transitions: readonly Transition[];
  /** Innermost first. */
  readonly exited: readonly AnyStateNode[];
  readonly entered: readonly Entry[];
  /** The active states after it, in the order in which XState holds them. */
  readonly nodes: readonly AnyStateNode[];
  /** Whether the same states are active as before. */
  readonly staysInPlace: boolean;
  /** What history states remember from now on, besides what they did; undefined when nothing is new. */
  readonly remembered: History | undefined;
}

/** Follows SCXML as XState does, in the same order of everything. `isFirst` for entering the root. */
export function planMicrostep(
  enabled: readonly Transition[],
  active: readonly AnyStateNode[],
  history: History,
  isFirst = false,
): MicrostepPlan {
  const transitions = withoutConflicts(enabled, active, history);
  const exited = isFirst ? [] : exitSet(transitions, active, history).toSorted(innermostFirst);
  const nodes = new Set(active);
  for (const node of exited) nodes.delete(node);
  const remembered = remember(exited, active);
  // What is left now counts already when a history state is entered.
  const entries = entriesOf(transitions, { ...history, ...remembered }, isFirst);
  const entered = enter(entries, nodes);
  const before = new Set(active);
  return {
    transitions,
    exited,
    entered,
    nodes: [...nodes],
    staysInPlace: nodes.size === active.length && [...nodes].every((node) => before.has(node)),
    remembered,
  };
}

function innermostFirst(one: AnyStateNode, other: AnyStateNode): number {
  return other.order - one.order;
}

function enter(entries: Entries, nodes: Set<AnyStateNode>): readonly Entry[] {
  const completed = new Set<AnyStateNode>();
  return byEntry(entries).map((node) => {
    nodes.add(node);
    const initialActions: readonly unknown[] = entries.byDefault.has(node)
      ? node.initial.actions
      : [];
    const completions = node.type === "final" ? completionsOf(node, nodes, completed) : [];
    return { node, initialActions, completions };
  });
}

function completionsOf(
  final: AnyStateNode,
  nodes: ReadonlySet<AnyStateNode>,
  completed: Set<AnyStateNode>,
): readonly Completion[] {
  const { parent } = final;
  const completions: Completion[] = [];
  if (parent?.type === "compound") {
    completions.push({ kind: "done-state", id: parent.id, output: final.output });
  }
  let around = parent?.type === "parallel" ? parent : parent?.parent;
  let last = around ?? final;
  while (around?.type === "parallel" && !completed.has(around) && isInFinal(nodes, around)) {
    completed.add(around);
    completions.push({ kind: "done-state", id: around.id });
    last = around;
    around = around.parent;
  }
  if (around === undefined) completions.push({ kind: "done-machine", completed: last });
  return completions;
}

function isInFinal(nodes: ReadonlySet<AnyStateNode>, node: AnyStateNode): boolean {
  const children = childStates(node).filter(({ type }) => type !== "history");
  if (node.type === "compound") {
    return children.some((child) => child.type === "final" && nodes.has(child));
  }
  if (node.type === "parallel") return children.every((child) => isInFinal(nodes, child));
  return node.type === "final";
}

/** Of transitions that leave the same states, the one from further inside is taken, else the first. */
function withoutConflicts(
  enabled: readonly Transition[],
  active: readonly AnyStateNode[],
  history: History,
): readonly Transition[] {
  if (enabled.length < 2) return enabled;
  const kept = new Set<Transition>();
  for (const one of enabled) {
    const exits = new Set(exitSet([one], active, history));
    const rivals = [...kept].filter((other) =>
      exitSet([other], active, history).some((node) => exits.has(node)),
    );
    const firstStrong = rivals.findIndex(({ source }) => !isDescendant(one.source, source));
    if (firstStrong >= 0) continue;
    for (const rival of rivals) kept.delete(rival);
    kept.add(one);
  }
  return [...kept];
}

function exitSet(
  transitions: readonly Transition[],
  active: readonly AnyStateNode[],
  history: History,
): readonly AnyStateNode[] {
  const exits = new Set<AnyStateNode>();
  for (const transition of transitions) {
    if (targetsOf(transition).length === 0) continue;
    const domain = transitionDomain(transition, history);
    if (transition.reenter && domain !== undefined && transition.source === domain) {
      exits.add(domain);
    }
    for (const node of active) if (isDescendant(node, domain)) exits.add(node);
  }
  return [...exits];
}

function remember(
  exited: readonly AnyStateNode[],
  active: readonly AnyStateNode[],
): History | undefined {
  const remembered: Record<string, readonly AnyStateNode[]> = {};
  for (const left of exited) {
    for (const child of childStates(left).filter(({ type }) => type === "history")) {
      remembered[child.id] = active.filter((node) =>
        child.history === "deep"
          ? (node.type === "atomic" || node.type === "final") && isDescendant(node, left)
          : node.parent === left,
      );
    }
  }
  return Object.keys(remembered).length === 0 ? undefined : remembered;
}
