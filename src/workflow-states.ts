import type { AnyStateMachine, AnyStateNode } from "xstate";

/** True for actor logic that is a state machine. */
export function isMachine(logic: unknown): logic is AnyStateMachine {
  return typeof logic === "object" && logic !== null && "__xstatenode" in logic;
}

/** Every state of a machine in document order, the root first. */
export function allStates(machine: AnyStateMachine): readonly AnyStateNode[] {
  return [...descend(machine.root)];
}

function* descend(state: AnyStateNode): Generator<AnyStateNode> {
  yield state;
  for (const child of childStates(state)) yield* descend(child);
}

/** The states directly inside another, history states included. */
export function childStates(state: AnyStateNode): readonly AnyStateNode[] {
  return Object.values(state.states as Readonly<Record<string, AnyStateNode>>);
}
