import type { AnyStateMachine, AnyStateNode } from "xstate";
import { isPromiseLogic } from "./activity.ts";
import {
  actionsOf,
  type BuiltInAction,
  builtInOf,
  transitionsOf,
  type UsedAction,
} from "./workflow-actions.ts";
import { allStates, isMachine } from "./workflow-states.ts";
import { wildcardProblems } from "./workflow-wildcards.ts";

/** What in a machine cannot be durable, or would go wrong in silence; each names its state. */
export function machineProblems(machine: AnyStateMachine, isRoot: boolean): readonly string[] {
  const states = allStates(machine);
  return [
    ...actorProblems(machine, states),
    ...duplicateIds(states),
    ...states.flatMap((state) => [
      ...initialProblems(state),
      ...historyProblems(state),
      ...invokeProblems(machine, state),
      ...delayProblems(machine, state),
      ...guardProblems(machine, state),
      ...actionsOf(state).flatMap((used) => actionProblems(machine, used, isRoot)),
    ]),
    ...wildcardProblems(machine, states),
  ];
}

function actorProblems(
  machine: AnyStateMachine,
  states: readonly AnyStateNode[],
): readonly string[] {
  return Object.entries(machine.implementations.actors)
    .filter(([, logic]) => !isMachine(logic) && !isPromiseLogic(logic))
    .map(([name]) => {
      const user = states.find((state) => state.invoke.some(({ src }) => src === name));
      const where = user === undefined ? "" : ` (invoked in state "${user.id}")`;
      return `Actor "${name}"${where} is neither a promise nor a machine: callbacks, observables and transition functions do not survive a restart.`;
    });
}

function duplicateIds(states: readonly AnyStateNode[]): readonly string[] {
  const seen = new Set<string>();
  return states
    .filter(({ id }) => seen.size === seen.add(id).size)
    .map((state) => problem(state, `the id is used twice, so that targets are ambiguous.`));
}

function initialProblems(state: AnyStateNode): readonly string[] {
  if (state.type !== "compound") return [];
  try {
    void state.initial;
    return [];
  } catch {
    const initial: unknown = state.config.initial;
    return [problem(state, `the initial state ${JSON.stringify(initial)} does not exist.`)];
  }
}

function historyProblems(state: AnyStateNode): readonly string[] {
  const target: unknown = state.config.target;
  if (state.type !== "history" || typeof target !== "string") return [];
  return exists(state, target) ? [] : [problem(state, `the target "${target}" does not exist.`)];
}

function exists(history: AnyStateNode, target: string): boolean {
  if (target.startsWith("#"))
    return allStates(history.machine).some(({ id }) => `#${id}` === target);
  let state: AnyStateNode | undefined = history.parent;
  for (const key of target.split(".")) {
    state = (state?.states as Record<string, AnyStateNode> | undefined)?.[key];
  }
  return state !== undefined;
}

function invokeProblems(machine: AnyStateMachine, state: AnyStateNode): readonly string[] {
  const configs = [state.config.invoke ?? []].flat() as readonly { readonly id?: unknown }[];
  return state.invoke.flatMap((invoke, index) => {
    const { src, onSnapshot, systemId } = invoke;
    const name = `invoke "${invoke.id}"`;
    const problems: string[] = [];
    if (typeof src !== "string" || src.startsWith("xstate.invoke.")) {
      problems.push(`${name} has inline logic: name it under actors in setup.`);
    } else if (!Object.hasOwn(machine.implementations.actors, src)) {
      problems.push(`${name} uses actor "${src}", which is not implemented.`);
    }
    if (typeof configs[index]?.id !== "string") {
      problems.push(
        `an invoke of "${typeof src === "string" ? src : "inline logic"}" has no id: the automatic one changes when states move.`,
      );
    }
    if (onSnapshot !== undefined) problems.push(`${name} has onSnapshot, but no snapshots travel.`);
    if (systemId !== undefined)
      problems.push(`${name} has a systemId, but instances share a system.`);
    return problems.map((text) => problem(state, text));
  });
}

function delayProblems(machine: AnyStateMachine, state: AnyStateNode): readonly string[] {
  const delays = new Set(state.after.map(({ delay }) => delay));
  return [...delays]
    .filter((delay) => !isDelay(machine, delay))
    .map((delay) =>
      problem(
        state,
        `the delay "${String(delay)}" of after is undefined: XState would fire it at once.`,
      ),
    );
}

/** True for milliseconds, a function, or the name of either. */
function isDelay(machine: AnyStateMachine, delay: unknown): boolean {
  if (typeof delay === "number") return Number.isFinite(delay) && delay >= 0;
  if (typeof delay === "function") return true;
  if (typeof delay !== "string" || !Object.hasOwn(machine.implementations.delays, delay))
    return false;
  const named: unknown = machine.implementations.delays[delay];
  return typeof named !== "string" && isDelay(machine, named);
}

function guardProblems(machine: AnyStateMachine, state: AnyStateNode): readonly string[] {
  const names = transitionsOf(state).flatMap(({ guard }) => guardNames(guard));
  return [...new Set(names)]
    .filter((name) => !Object.hasOwn(machine.implementations.guards, name))
    .map((name) => problem(state, `guard "${name}" is not implemented.`));
}

/** The names in a guard, in `and`, `or` and `not` too. */
function guardNames(guard: unknown): readonly string[] {
  if (typeof guard === "string") return [guard];
  if (typeof guard === "function") {
    const parts: unknown = Reflect.get(guard, "guards");
    return Array.isArray(parts) ? parts.flatMap(guardNames) : [];
  }
  if (typeof guard !== "object" || guard === null || !("type" in guard)) return [];
  return guardNames(guard.type);
}

function actionProblems(
  machine: AnyStateMachine,
  used: UsedAction,
  isRoot: boolean,
): readonly string[] {
  const { state } = used;
  if (used.kind === "inline") {
    const name = used.name === "" ? "" : ` "${used.name}"`;
    return [problem(state, `the inline action${name} has no name to be run by: name it in setup.`)];
  }
  if (used.kind === "named" && !Object.hasOwn(machine.implementations.actions, used.name)) {
    return [problem(state, `action "${used.name}" is not implemented.`)];
  }
  const action = builtInOf(machine, used);
  if (action === undefined) return [];
  return builtInProblems(machine, action, isRoot).map((text) => problem(state, text));
}

function builtInProblems(
  machine: AnyStateMachine,
  action: BuiltInAction,
  isRoot: boolean,
): readonly string[] {
  switch (action.type) {
    case "xstate.raise":
      return laterProblems(machine, action, "raise");
    case "xstate.sendTo":
      return [...targetProblems(action, isRoot), ...laterProblems(machine, action, "sendTo")];
    case "xstate.spawnChild":
      return spawnProblems(machine, action);
    default:
      return [];
  }
}

function laterProblems(
  machine: AnyStateMachine,
  { id, delay }: BuiltInAction,
  what: string,
): readonly string[] {
  if (delay === undefined) return [];
  return [
    ...(isDelay(machine, delay)
      ? []
      : [`the delay ${JSON.stringify(delay)} of ${what} is undefined: XState would act at once.`]),
    ...(typeof id === "string" ? [] : [`a delayed ${what} has no id.`]),
  ];
}

function targetProblems({ to }: BuiltInAction, isRoot: boolean): readonly string[] {
  if (to === "#_parent") {
    return isRoot ? ["sendParent in a workflow that has no parent throws."] : [];
  }
  if (to === undefined) return ["sendTo or forwardTo has no target: XState would loop for ever."];
  const isAddress = typeof to === "string" || typeof to === "function";
  return isAddress ? [] : ["sendTo has an actor as its target: give its id instead."];
}

function spawnProblems(
  machine: AnyStateMachine,
  { id, src, systemId, syncSnapshot }: BuiltInAction,
): readonly string[] {
  const problems: string[] = [];
  if (typeof src !== "string") {
    problems.push("spawnChild has inline logic: name it under actors in setup.");
  } else if (!Object.hasOwn(machine.implementations.actors, src)) {
    problems.push(`spawnChild uses actor "${src}", which is not implemented.`);
  }
  if (typeof id !== "string" && typeof id !== "function") {
    problems.push(`spawnChild of ${JSON.stringify(src)} has no id.`);
  }
  if (systemId !== undefined)
    problems.push("spawnChild has a systemId, but instances share a system.");
  if (syncSnapshot === true) problems.push("spawnChild has syncSnapshot, but no snapshots travel.");
  return problems;
}

function problem(state: AnyStateNode, text: string): string {
  return `State "${state.id}": ${text}`;
}
