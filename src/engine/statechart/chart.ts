import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from "xstate";
import { allStates } from "../../workflow-states.ts";
import { remade } from "./actions.ts";
import { ActiveStates, type ReadyMicrostep } from "./active-states.ts";
import type { Configurations } from "./configuration.ts";
import type { History } from "./domains.ts";
import type { InertScope } from "./inert.ts";
import { planMicrostep } from "./microstep-plan.ts";
import { readyMicrostep } from "./ready-microstep.ts";
import type { Transition } from "./transitions.ts";

// Parallel states multiply: a cap keeps a chart with millions of sets of states from filling memory.
const mostKept = 20_000;
/** With what history states may remember, so do the ways out of one of them. */
const mostMicrosteps = 1_000;

/** What the structure of one machine leads to, worked out where it is first needed. */
export class Chart {
  readonly machine: AnyStateMachine;
  readonly #configurations: Configurations;
  readonly #scope: InertScope;
  readonly #hasHistory: boolean;
  readonly #names = new Map<Transition, number>();
  readonly #byOrder = new Map<string, ActiveStates>();
  #byNodes = new WeakMap<readonly AnyStateNode[], ActiveStates>();

  constructor(machine: AnyStateMachine, configurations: Configurations, scope: InertScope) {
    this.machine = machine;
    this.#configurations = configurations;
    this.#scope = scope;
    this.#hasHistory = allStates(machine).some(({ type }) => type === "history");
  }

  /** The same object for the same states in the same order. */
  active(nodes: readonly AnyStateNode[]): ActiveStates {
    const known = this.#byNodes.get(nodes);
    if (known !== undefined) return known;
    const key = nodes.map(({ order }) => order).join();
    const found = this.#byOrder.get(key) ?? this.#make(nodes, key);
    this.#byNodes.set(nodes, found);
    return found;
  }

  /** What happens when these transitions are taken there. */
  microstep(
    enabled: readonly Transition[],
    active: ActiveStates,
    history: History,
  ): ReadyMicrostep {
    const name = this.#nameOf(enabled, history);
    const known = active.known.get(name);
    if (known !== undefined) return known;
    const ready = this.#ready(enabled, active, history);
    if (active.known.size >= mostMicrosteps) active.known.clear();
    active.known.set(name, ready);
    return ready;
  }

  /** What happens when the machine starts. */
  first(active: ActiveStates): ReadyMicrostep {
    const known = active.known.get("start");
    if (known !== undefined) return known;
    const { root } = this.machine;
    const target = [...initialStates(root)];
    const start: Transition = { source: root, target, reenter: true, actions: [] };
    const ready = this.#ready([start], active, {}, true);
    active.known.set("start", ready);
    return ready;
  }

  #ready(
    enabled: readonly Transition[],
    active: ActiveStates,
    history: History,
    isFirst = false,
  ): ReadyMicrostep {
    const plan = planMicrostep(enabled, active.nodes, history, isFirst);
    const next = this.active(plan.nodes);
    return readyMicrostep(plan, { enabled, next, machine: this.machine });
  }

  #make(nodes: readonly AnyStateNode[], key: string): ActiveStates {
    const bare = { status: "active", context: {}, children: {}, historyValue: {} };
    const { machine } = this;
    const snapshot = { ...bare, machine, _nodes: nodes } as unknown as AnyMachineSnapshot;
    const args = { context: {}, event: { type: "" }, self: undefined, system: undefined };
    const template = remade(this.#scope.asActorScope(), snapshot, args);
    const made = new ActiveStates(template, this.#configurations.ofNodes(nodes));
    if (this.#byOrder.size >= mostKept) {
      this.#byOrder.clear();
      this.#byNodes = new WeakMap();
    }
    this.#byOrder.set(key, made);
    return made;
  }

  #nameOf(enabled: readonly Transition[], history: History): Transition | string {
    const [only] = enabled;
    if (only !== undefined && enabled.length === 1 && !this.#hasHistory) return only;
    const remembered = Object.entries(history).map(
      ([id, nodes]) => `${id}=${nodes.map(({ order }) => order).join()}`,
    );
    return JSON.stringify([enabled.map((transition) => this.#numberOf(transition)), remembered]);
  }

  #numberOf(transition: Transition): number {
    const known = this.#names.get(transition);
    if (known !== undefined) return known;
    const number = this.#names.size;
    this.#names.set(transition, number);
    return number;
  }
}

/** A state and what is entered with it by default. */
function initialStates(state: AnyStateNode, found = new Set<AnyStateNode>()): Set<AnyStateNode> {
  found.add(state);
  const { type, initial } = state;
  const [first] = type === "compound" ? (initial.target as readonly AnyStateNode[]) : [];
  if (first !== undefined) return initialStates(first, found);
  if (type !== "parallel") return found;
  for (const region of Object.values(state.states as Record<string, AnyStateNode>)) {
    if (region.type !== "history") initialStates(region, found);
  }
  return found;
}
