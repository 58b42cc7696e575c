import type { AnyStateNode } from "xstate";
import type { Transition } from "./transitions.ts";

/** The states that were left last, by the id of the history state that remembers them. */
export type History = Readonly<Record<string, readonly AnyStateNode[]>>;

type Targeted = Pick<Transition, "target">;

/** Where a transition points; nowhere for one that stays where it is. */
export function targetsOf({ target }: Targeted): readonly AnyStateNode[] {
  return target ?? [];
}

/** True below `ancestor`; for every state, the root included, when that is undefined. */
export function isDescendant(node: AnyStateNode, ancestor: AnyStateNode | undefined): boolean {
  let inner = node;
  while (inner.parent !== undefined && inner.parent !== ancestor) inner = inner.parent;
  return inner.parent === ancestor;
}

/** The states around a node, innermost first, up to `limit` and without it. */
export function ancestorsOf(node: AnyStateNode, limit?: AnyStateNode): readonly AnyStateNode[] {
  if (node === limit) return [];
  const ancestors: AnyStateNode[] = [];
  for (let one = node.parent; one !== undefined && one !== limit; one = one.parent) {
    ancestors.push(one);
  }
  return ancestors;
}

/** The states that a transition leads to, with what history states stand for. */
export function effectiveTargets(transition: Targeted, history: History): readonly AnyStateNode[] {
  const targets = new Set<AnyStateNode>();
  for (const target of targetsOf(transition)) {
    const meant = target.type === "history" ? remembered(target, history) : [target];
    for (const node of meant) targets.add(node);
  }
  return [...targets];
}

function remembered(state: AnyStateNode, history: History): readonly AnyStateNode[] {
  return history[state.id] ?? effectiveTargets(historyDefault(state), history);
}

/** Where a history state leads that remembers nothing. */
export function historyDefault(state: AnyStateNode): Targeted {
  const { parent } = state;
  const { target } = state.config as { readonly target?: unknown };
  const named = [target].flat().filter((one) => one !== undefined && one !== "");
  if (named.length > 0) return { target: named.map((one) => resolved(state, one)) };
  if (parent?.type === "parallel") return { target: [parent] };
  return parent?.initial as Targeted;
}

function resolved({ parent, machine }: AnyStateNode, target: unknown): AnyStateNode {
  if (typeof target !== "string") return target as AnyStateNode;
  if (target.startsWith("#")) return machine.getStateNodeById(target);
  // A backslash before a dot makes it part of a name.
  const path = target.split(/(?<!\\)\./).map((key) => key.replace(/\\(.)/g, "$1"));
  let node = parent;
  for (const key of path) node = node?.states[key];
  return node ?? machine.getStateNodeById(target);
}

/** The state within which a transition takes place; undefined when the root itself is entered anew. */
export function transitionDomain(
  transition: Transition,
  history: History,
): AnyStateNode | undefined {
  const { source, reenter } = transition;
  const targets = effectiveTargets(transition, history);
  const isInside = targets.every((target) => target === source || isDescendant(target, source));
  if (!reenter && isInside) return source;
  const [head, ...rest] = [...targets, source];
  const around = ancestorsOf(head ?? source).find((ancestor) =>
    rest.every((node) => isDescendant(node, ancestor)),
  );
  if (around !== undefined) return around;
  return reenter ? undefined : source.machine.root;
}
