import type { AnyStateNode } from "xstate";
import { descriptorMatches } from "../../workflow-events.ts";

interface Transition {
  readonly target?: unknown;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
  readonly reenter: boolean;
}

/**
 * The event types to which states react, guards left aside, sorted. Wildcards stand for the declared types
 * that they match; a handler that does nothing (`{}`) hides those of the states around it.
 */
export function acceptedEvents(
  nodes: readonly AnyStateNode[],
  declared: readonly string[],
): readonly string[] {
  const named = nodes
    .flatMap((node) => [...node.transitions.keys()])
    .filter((type) => !type.startsWith("xstate."));
  const types = new Set([...named.filter((type) => !type.includes("*")), ...declared]);
  // Without a list of types, a wildcard can only stand for itself.
  if (declared.length === 0) for (const type of named) types.add(type);
  const leaves = nodes.filter(({ type }) => type === "atomic" || type === "final");
  return [...types].filter((type) => leaves.some((leaf) => reacts(leaf, type))).toSorted();
}

function reacts(leaf: AnyStateNode, type: string): boolean {
  for (let node: AnyStateNode | undefined = leaf; node !== undefined; node = node.parent) {
    const candidates = candidatesOf(node, type);
    if (candidates.some((candidate) => !isInert(candidate))) return true;
    if (candidates.some(({ guard }) => guard === undefined)) return false;
  }
  return false;
}

function candidatesOf(node: AnyStateNode, type: string): readonly Transition[] {
  return [...node.transitions]
    .filter(([descriptor]) => descriptorMatches(descriptor, type))
    .flatMap(([, transitions]) => transitions);
}

function isInert({ target, actions, reenter }: Transition): boolean {
  return target === undefined && actions.length === 0 && !reenter;
}
