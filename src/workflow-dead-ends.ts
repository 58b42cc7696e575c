import type { AnyStateMachine, AnyStateNode } from "xstate";
import { actionsOf, builtInOf } from "./workflow-actions.ts";
import type { Workflow } from "./workflow-definition.ts";
import { descriptorMatches } from "./workflow-events.ts";
import { allStates } from "./workflow-states.ts";

/**
 * States that are not final and that nothing known leads out of, as ids. It is a hint and no fault: a workflow may
 * mean to rest there until somebody ends it. Where other regions, spawned actors or delayed events may help, it says
 * nothing; what then comes to rest for good is found when it happens.
 */
export function deadEnds(workflow: Workflow, isChild: boolean): readonly string[] {
  const states = allStates(workflow.machine);
  if (states.some((state) => hasLateEvents(workflow.machine, state))) return [];
  return states
    .filter(({ type }) => type === "atomic")
    .filter((state) => !path(state).some((one) => one.type === "parallel"))
    .filter((state) => !path(state).some((one) => leadsOut(one, workflow, isChild)))
    .map(({ id }) => id);
}

/** The state and those around it, the innermost first. */
function path(state: AnyStateNode): readonly AnyStateNode[] {
  return state.parent === undefined ? [state] : [state, ...path(state.parent)];
}

/** What it does may bring an event when it is in another state by then. */
function hasLateEvents(machine: AnyStateMachine, state: AnyStateNode): boolean {
  return actionsOf(state).some((used) => {
    const { type, delay } = builtInOf(machine, used) ?? {};
    return type === "xstate.spawnChild" || delay !== undefined;
  });
}

function leadsOut(state: AnyStateNode, workflow: Workflow, isChild: boolean): boolean {
  if (state.invoke.length > 0 || (state.always?.length ?? 0) > 0) return true;
  return [...state.transitions].some(
    ([descriptor, transitions]) =>
      mayCome(descriptor, workflow, isChild) && transitions.some((one) => !isInert(one)),
  );
}

function mayCome(descriptor: string, { events, internal }: Workflow, isChild: boolean): boolean {
  if (descriptor.startsWith("xstate.")) return descriptor.startsWith("xstate.after.");
  if (isChild) return true;
  if (events.size === 0) return !internal.includes(descriptor);
  return [...events.keys()].some((type) => descriptorMatches(descriptor, type));
}

function isInert({
  target,
  actions,
}: {
  readonly target?: unknown;
  readonly actions: readonly unknown[];
}): boolean {
  return target === undefined && actions.length === 0;
}
