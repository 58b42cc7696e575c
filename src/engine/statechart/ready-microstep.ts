import { type AnyStateMachine, type AnyStateNode, spawnChild, stopChild } from "xstate";
import { type Action, actionOf } from "./actions.ts";
import type { ActiveStates, ReadyEntry, ReadyMicrostep } from "./active-states.ts";
import { guardName } from "./inert.ts";
import type { Entry, MicrostepPlan } from "./microstep-plan.ts";
import type { Transition } from "./transitions.ts";

/** Looks up everything that a planned microstep does. */
export function readyMicrostep(
  { transitions, exited, entered, nodes, staysInPlace, remembered }: MicrostepPlan,
  about: {
    readonly enabled: readonly Transition[];
    readonly next: ActiveStates;
    readonly machine: AnyStateMachine;
  },
): ReadyMicrostep {
  const { enabled, next, machine } = about;
  const lookUp = (actions: readonly unknown[]) =>
    actions.map((action) => actionOf(action, machine.implementations.actions));
  const outermostLast = nodes.toSorted((one, other) => other.order - one.order);
  return {
    leaving: lookUp([...exited.flatMap(exitOf), ...transitions.flatMap(({ actions }) => actions)]),
    entering: entered
      .map((entry) => readyEntry(entry, lookUp))
      .filter(({ actions, completions }) => actions.length + completions.length > 0),
    ending: lookUp(outermostLast.flatMap(({ exit }) => exit as readonly unknown[])),
    next,
    staysInPlace,
    remembered,
    from: enabled.map(({ source }) => source.id),
    to: enabled.flatMap(({ target = [] }) => target.map(({ id }) => id)),
    guards: enabled.map(({ guard }) => guardName(guard)).filter((name) => name !== undefined),
  };
}

function exitOf({ exit, invoke }: AnyStateNode): readonly unknown[] {
  return [...exit, ...invoke.map(({ id }) => stopChild(id))];
}

function readyEntry(
  { node, initialActions, completions }: Entry,
  lookUp: (actions: readonly unknown[]) => readonly Action[],
): ReadyEntry {
  const started = node.invoke.map((invoked) => {
    const { id, src, input, systemId } = invoked as {
      readonly [Key in "id" | "src" | "input" | "systemId"]: unknown;
    };
    return spawnChild(src as string, { id, input, systemId } as never);
  });
  return {
    actions: lookUp([...node.entry, ...started, ...initialActions]),
    invoked: node.invoke.map(({ id }) => id),
    completions,
  };
}
