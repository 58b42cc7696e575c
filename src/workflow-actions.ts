import type { AnyStateMachine, AnyStateNode } from "xstate";

/** A built-in action of XState (`raise`, `emit` …): a function that carries its parameters. */
export interface BuiltInAction {
  readonly type: string;
  readonly id?: unknown;
  readonly delay?: unknown;
  readonly event?: unknown;
  readonly to?: unknown;
  readonly src?: unknown;
  readonly systemId?: unknown;
  readonly syncSnapshot?: unknown;
}

/** One action where the machine uses it. */
export type UsedAction =
  | { readonly kind: "built-in"; readonly state: AnyStateNode; readonly action: BuiltInAction }
  | { readonly kind: "named"; readonly state: AnyStateNode; readonly name: string }
  | { readonly kind: "inline"; readonly state: AnyStateNode; readonly name: string };

interface UsedTransition {
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
}

/** All transitions that start at a state: by event, by timer, by an actor's answer, and eventless ones. */
export function transitionsOf(state: AnyStateNode): readonly UsedTransition[] {
  const always: readonly UsedTransition[] = state.always ?? [];
  return [...[...state.transitions.values()].flat(), ...always];
}

/** All actions in entries, exits and transitions of a state. Those of its `after` are not the user's. */
export function actionsOf(state: AnyStateNode): readonly UsedAction[] {
  const initial: readonly unknown[] = state.type === "compound" ? initialActions(state) : [];
  const actions: readonly unknown[] = [
    ...state.entry,
    ...state.exit,
    ...initial,
    ...transitionsOf(state).flatMap((transition) => transition.actions),
  ];
  return actions.filter((action) => !isOfAfter(action)).map((action) => use(state, action));
}

/** The built-in action behind a use, be it direct or by the name of an implementation. */
export function builtInOf(machine: AnyStateMachine, used: UsedAction): BuiltInAction | undefined {
  if (used.kind === "built-in") return used.action;
  const named: unknown = machine.implementations.actions[used.name];
  return used.kind === "named" && isBuiltIn(named) ? named : undefined;
}

/** The type of an event that is given as an object, and not computed. */
export function staticType(event: unknown): string | undefined {
  if (typeof event !== "object" || event === null || !("type" in event)) return undefined;
  return typeof event.type === "string" ? event.type : undefined;
}

function initialActions(state: AnyStateNode): readonly unknown[] {
  try {
    return state.initial.actions;
  } catch {
    // The initial state does not exist, which is a problem of its own.
    return [];
  }
}

function use(state: AnyStateNode, action: unknown): UsedAction {
  if (isBuiltIn(action)) return { kind: "built-in", state, action };
  if (typeof action === "function") return { kind: "inline", state, name: action.name };
  const name = typeof action === "string" ? action : staticType(action);
  return { kind: "named", state, name: name ?? "" };
}

function isBuiltIn(action: unknown): action is BuiltInAction {
  return typeof action === "function" && "resolve" in action && "type" in action;
}

function isOfAfter(action: unknown): boolean {
  if (!isBuiltIn(action)) return false;
  const { id, sendId } = action as BuiltInAction & { readonly sendId?: unknown };
  return [id, sendId].some((name) => typeof name === "string" && name.startsWith("xstate.after."));
}
