import type { AnyStateMachine, AnyStateNode } from "xstate";

/** Every state of a machine as a dotted path below the root, parents first. */
export function statesOf(machine: AnyStateMachine): readonly string[] {
  return below(machine.root);
}

function below(node: AnyStateNode): readonly string[] {
  return Object.values(node.states).flatMap((child) => [child.path.join("."), ...below(child)]);
}
