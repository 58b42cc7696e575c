import type { AnyStateMachine, AnyStateNode } from "xstate";
import { actionsOf, builtInOf } from "./workflow-actions.ts";

/**
 * A `*` handler also takes the answers of invoked actors, failures too: the workflow would carry on as if
 * nothing had happened. It is in order only where those answers have handlers of their own that come first.
 */
export function wildcardProblems(
  machine: AnyStateMachine,
  states: readonly AnyStateNode[],
): readonly string[] {
  const spawns = states.some((state) =>
    actionsOf(state).some((used) => builtInOf(machine, used)?.type === "xstate.spawnChild"),
  );
  return states
    .filter((state) => state.transitions.has("*"))
    .flatMap((state) => {
      const swallowed = states.flatMap((other) => swallows(state, other));
      const what = spawns ? [...swallowed, "spawned actors"] : swallowed;
      if (what.length === 0) return [];
      return `State "${state.id}": the handler "*" would swallow answers of ${what.join(", ")}.`;
    });
}

/** The invokes of a state whose answers the wildcard of another would take. */
function swallows(wildcard: AnyStateNode, invoking: AnyStateNode): readonly string[] {
  if (!canBeActiveTogether(wildcard, invoking)) return [];
  const isOutside = wildcard === invoking || isInside(invoking, wildcard);
  return invoking.invoke
    .filter(({ id }) => !isOutside || !hasOwnHandlers(invoking, id))
    .map(({ id }) => `invoke "${id}"`);
}

function hasOwnHandlers(state: AnyStateNode, id: string): boolean {
  return ["done", "error"].every((kind) => {
    const handlers = state.transitions.get(`xstate.${kind}.actor.${id}`) ?? [];
    return handlers.some(({ guard }) => guard === undefined);
  });
}

function canBeActiveTogether(one: AnyStateNode, other: AnyStateNode): boolean {
  if (one === other || isInside(one, other) || isInside(other, one)) return true;
  let ancestor = one.parent;
  while (ancestor !== undefined && !isInside(other, ancestor)) ancestor = ancestor.parent;
  return ancestor?.type === "parallel";
}

function isInside(state: AnyStateNode, outer: AnyStateNode): boolean {
  for (let parent = state.parent; parent !== undefined; parent = parent.parent) {
    if (parent === outer) return true;
  }
  return false;
}
