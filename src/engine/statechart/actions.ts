import { type AnyActorScope, type AnyEventObject, type AnyMachineSnapshot, assign } from "xstate";

/** The snapshot that a step works on, changed in place. */
export type Draft = { -readonly [Key in keyof AnyMachineSnapshot]: AnyMachineSnapshot[Key] };

export interface ActionArguments {
  readonly context: unknown;
  readonly event: AnyEventObject;
  readonly self: unknown;
  readonly system: unknown;
}

/** What XState's actions are told besides. */
export interface Extra {
  /** Takes events that are raised. */
  readonly internalQueue: AnyEventObject[];
  /** Children that the state being entered is about to start: what is sent to them waits for that. */
  readonly deferredActorIds: readonly string[] | undefined;
}

/** An action that XState ships. It changes the snapshot, asks for something, or names further actions. */
export interface BuiltIn {
  readonly type: string;
  readonly resolve: (
    scope: AnyActorScope,
    snapshot: AnyMachineSnapshot,
    args: ActionArguments,
    params: unknown,
    action: unknown,
    extra: Extra,
  ) => readonly [AnyMachineSnapshot, unknown, (readonly unknown[])?];
  readonly retryResolve?: (
    scope: AnyActorScope,
    snapshot: AnyMachineSnapshot,
    params: unknown,
  ) => void;
  /** There when it asks for something. */
  readonly execute?: unknown;
}

/** An action of a machine, looked up once. */
export interface Action {
  readonly type: string;
  readonly params: unknown;
  /** Undefined for a name under which nothing is implemented. */
  readonly code: unknown;
  /** The same code when XState ships it. */
  readonly builtIn: BuiltIn | undefined;
}

type Implementations = Readonly<Record<string, unknown>>;

/** An action as machines name them: a function, a name, or an object with a name and parameters. */
export function actionOf(action: unknown, implementations: Implementations): Action {
  if (typeof action === "function") {
    const type = action.name === "" ? "(anonymous)" : action.name;
    return { type, params: undefined, code: action, builtIn: builtInOf(action) };
  }
  const named = typeof action === "string" ? { type: action } : action;
  const { type, params } = named as { readonly type: string; readonly params?: unknown };
  const code = implementations[type];
  return { type, params, code, builtIn: builtInOf(code) };
}

function builtInOf(code: unknown): BuiltIn | undefined {
  return typeof code === "function" && "resolve" in code ? (code as unknown as BuiltIn) : undefined;
}

/** XState's `assign`, with which it can be made to show what it keeps to itself. */
const anyAssign = assign({}) as unknown as BuiltIn;

type Resolving = readonly [
  scope: AnyActorScope,
  snapshot: AnyMachineSnapshot,
  args: ActionArguments,
];
export type Spawn = (src: unknown, options?: unknown) => { readonly id: string };

/** The snapshot as XState makes it anew, with the value and the tags that go with its states. */
export function remade(...[scope, snapshot, args]: Resolving): AnyMachineSnapshot {
  const nothing = { assignment: {} };
  const extra = { internalQueue: [], deferredActorIds: undefined };
  return anyAssign.resolve(scope, snapshot, args, undefined, nothing, extra)[0];
}

/** The function `spawn` that XState hands to an `assign`. */
export function spawnOf(...[scope, snapshot, args]: Resolving): Spawn {
  let shown: Spawn | undefined;
  const assignment = ({ spawn }: { readonly spawn: Spawn }) => {
    shown = spawn;
    return {};
  };
  const extra = { internalQueue: [], deferredActorIds: undefined };
  anyAssign.resolve(scope, snapshot, args, undefined, { assignment }, extra);
  if (shown === undefined) throw new Error("XState's assign hands out no spawn.");
  return shown;
}
