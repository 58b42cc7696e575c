import { createHash } from "node:crypto";
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from "xstate";
import { allStates, childStates } from "../../workflow-states.ts";
import type { StateValue } from "../client.ts";
import { guardName } from "./inert.ts";

/** Everything about a set of active states that does not depend on the instance. Shared, never mutated. */
export interface Configuration {
  readonly nodes: readonly AnyStateNode[];
  readonly value: StateValue;
  /** A snapshot in these states, to be completed with context, children and history. */
  readonly template: AnyMachineSnapshot;
}

// Parallel states multiply: a cap keeps a chart with millions of configurations from filling memory.
const mostCached = 20_000;

/** Remembers the configurations of one machine, so that restoring an instance costs one look-up. */
export class Configurations {
  readonly #machine: AnyStateMachine;
  readonly #byValue = new Map<string, Configuration>();
  readonly #byNodes = new Map<string, Configuration>();

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
  }

  /**
   * The configuration of a state value.
   * @throws whatever XState throws when there is no such state in the machine.
   */
  ofValue(value: StateValue): Configuration {
    const key = JSON.stringify(value);
    const known = this.#byValue.get(key);
    if (known !== undefined) return known;
    const made = this.#make(value);
    keep(this.#byValue, key, made);
    return made;
  }

  /**
   * The configuration with exactly these active states, or undefined when they contradict each other.
   * Their order in a snapshot depends on the path that led there and is lost in a record, but decides
   * between conflicting eventless transitions; so it is always the document's.
   */
  ofNodes(nodes: readonly AnyStateNode[]): Configuration | undefined {
    const sorted = nodes.toSorted((one, other) => one.order - other.order);
    const key = sorted.map(({ order }) => order).join();
    const known = this.#byNodes.get(key);
    if (known !== undefined) return known;
    if (!isLegal(sorted)) return undefined;
    const made = this.#make(valueOf(this.#machine.root, new Set(sorted)));
    keep(this.#byNodes, key, made);
    return made;
  }

  #make(value: StateValue): Configuration {
    const template: AnyMachineSnapshot = this.#machine.restoreSnapshot(
      { status: "active", value, context: {}, historyValue: {}, children: {} } as never,
      undefined as never,
    );
    template._nodes.sort((one, other) => one.order - other.order);
    template.value = valueOf(this.#machine.root, new Set(template._nodes));
    return { nodes: template._nodes, value: template.value as StateValue, template };
  }
}

function keep(cache: Map<string, Configuration>, key: string, made: Configuration): void {
  if (cache.size >= mostCached) cache.clear();
  cache.set(key, made);
}

/** Every active state's parent is active; a compound state has one active child, a parallel one all. */
function isLegal(nodes: readonly AnyStateNode[]): boolean {
  const active = new Set(nodes);
  return nodes.every((node) => {
    if (node.parent !== undefined && !active.has(node.parent)) return false;
    const regions = childStates(node).filter(({ type }) => type !== "history");
    const count = regions.filter((child) => active.has(child)).length;
    if (node.type === "compound") return count === 1;
    return node.type !== "parallel" || count === regions.length;
  });
}

/** The state value with its keys in document order. */
function valueOf(node: AnyStateNode, active: ReadonlySet<AnyStateNode>): StateValue {
  const children = childStates(node).filter((child) => active.has(child));
  const [only] = children;
  if (node.type === "compound" && only !== undefined && isLeaf(only)) return only.key;
  return Object.fromEntries(children.map((child) => [child.key, valueOf(child, active)]));
}

function isLeaf(node: AnyStateNode): boolean {
  return node.type === "atomic" || node.type === "final";
}

/** The state value as text that does not depend on the order of its keys. */
export function canonicalValue(value: StateValue | undefined): string {
  if (value === undefined || typeof value === "string") return String(value);
  const keys = Object.keys(value).toSorted();
  return `{${keys.map((key) => `${key}:${canonicalValue(value[key])}`).join()}}`;
}

/**
 * A hash over the structure of a machine: states, transitions, names of guards and delays, invokes.
 * The code inside functions is not part of it.
 */
export function fingerprintOf(machine: AnyStateMachine): string {
  const structure = allStates(machine).map((node) => [
    node.id,
    node.type,
    node.history,
    node.type === "compound" ? node.initial.target.map(({ id }) => id) : [],
    [...node.transitions.values(), node.always ?? []]
      .flat()
      .map((transition) => [
        transition.eventType,
        transition.target?.map(({ id }) => id),
        guardName(transition.guard) ?? typeof transition.guard,
        transition.reenter,
      ]),
    node.invoke.map(({ id, src }) => [id, typeof src === "string" ? src : "inline"]),
  ]);
  return createHash("sha256").update(JSON.stringify(structure)).digest("hex").slice(0, 12);
}
