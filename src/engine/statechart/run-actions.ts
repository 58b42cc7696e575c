import type { AnyEventObject, AnyMachineSnapshot } from "xstate";
import {
  type Action,
  type ActionArguments,
  actionOf,
  type BuiltIn,
  type Draft,
  type Extra,
  spawnOf,
} from "./actions.ts";
import type { InertScope } from "./inert.ts";
import { StartedChild } from "./started-child.ts";

type Children = Record<string, unknown>;
type Retry = readonly [BuiltIn, params: unknown];

/** One action under way. */
interface Doing {
  readonly action: Action;
  readonly args: ActionArguments;
  readonly params: unknown;
}

/** The parameters of `spawnChild`, as they stand at the action. */
interface SpawnParams {
  readonly id: unknown;
  readonly src: unknown;
  readonly input: unknown;
  readonly systemId: unknown;
}

/**
 * Runs actions on a draft, in place. XState makes a snapshot anew for each assign and each child that starts or stops,
 * and with it the value and the tags of states that have not changed: a third of the memory that a step needs, and a
 * tenth of an engine's time.
 */
export class ActionRunner {
  readonly #scope: InertScope;
  readonly #draft: Draft;
  /** Whether anything of the draft was made anew. */
  hasChanged = false;

  constructor(scope: InertScope, draft: Draft) {
    this.#scope = scope;
    this.#draft = draft;
  }

  /** Runs them one after the other; each sees the context that those before it have left. */
  run(actions: readonly Action[], event: AnyEventObject, extra: Extra): void {
    const retries: Retry[] | undefined = extra.deferredActorIds && [];
    for (const action of actions) this.#run(action, event, extra, retries);
    if (retries === undefined) return;
    const scope = this.#scope.asActorScope();
    for (const [builtIn, params] of retries) builtIn.retryResolve?.(scope, this.#snapshot, params);
  }

  /** Adds to the context what a function of its arguments, or one function for each key, makes of it. */
  assign(assignment: unknown, args: ActionArguments, params?: unknown): void {
    const draft = this.#draft;
    if (!draft.context) {
      throw new Error(
        "Cannot assign to undefined `context`. Ensure that `context` is defined in the machine config.",
      );
    }
    const spawned: Children = {};
    const given = {
      context: draft.context as unknown,
      event: args.event,
      spawn: this.#spawner(args, spawned),
      self: args.self,
      system: args.system,
    };
    const update = updateOf(assignment, given, params);
    draft.context = Object.assign({}, draft.context, update);
    if (Object.keys(spawned).length > 0) draft.children = { ...draft.children, ...spawned };
    this.hasChanged = true;
  }

  /** Asks for the end of every child; the snapshot of an actor that has ended keeps them. */
  stopAll(event: AnyEventObject): void {
    const { context, children } = this.#draft;
    for (const child of Object.values(children as Children)) {
      const { self, system } = this.#scope;
      this.#ask("xstate.stopChild", child, { args: { context, event, self, system } });
    }
  }

  get #snapshot(): AnyMachineSnapshot {
    return this.#draft as AnyMachineSnapshot;
  }

  #run(action: Action, event: AnyEventObject, extra: Extra, retries: Retry[] | undefined): void {
    const context: unknown = this.#draft.context;
    const { self, system } = this.#scope;
    const args = { context, event, self, system };
    const { type, code, builtIn } = action;
    const params: unknown =
      typeof action.params === "function" ? action.params({ context, event }) : action.params;
    const doing = { action, args, params };
    if (builtIn === undefined) return this.#ask(type, params, { args, code });
    if (builtIn.type === "xstate.assign") {
      return this.assign((builtIn as unknown as { assignment: unknown }).assignment, args, params);
    }
    if (builtIn.type === "xstate.emit") return this.#emit(builtIn, doing);
    if (builtIn.type === "xstate.stopChild") return this.#stop(builtIn, doing);
    if (builtIn.type === "xstate.spawnChild" && this.#spawns(builtIn, args)) return undefined;
    return this.#resolve(builtIn, doing, extra, retries);
  }

  #ask(
    type: string,
    params: unknown,
    { args, code }: { readonly args: ActionArguments; readonly code?: unknown },
  ): void {
    const exec = code as ((info: unknown, params: unknown) => unknown) | undefined;
    this.#scope.actionExecutor({ type, params, info: args, exec });
  }

  /** Any other action that XState ships does what it does there. */
  #resolve(
    builtIn: BuiltIn,
    { args, params: given }: Doing,
    extra: Extra,
    retries: Retry[] | undefined,
  ): void {
    const draft = this.#draft;
    const scope = this.#scope.asActorScope();
    const [next, params, more] = builtIn.resolve(
      scope,
      this.#snapshot,
      args,
      given,
      builtIn,
      extra,
    );
    if (next !== draft) {
      draft.context = next.context;
      draft.children = next.children;
      this.hasChanged = true;
    }
    if (builtIn.retryResolve !== undefined) retries?.push([builtIn, params]);
    if ("execute" in builtIn) this.#ask(builtIn.type, params, { args });
    const { actions } = draft.machine.implementations;
    for (const one of more ?? []) this.#run(actionOf(one, actions), args.event, extra, retries);
  }

  #emit(builtIn: BuiltIn, { args, params }: Doing): void {
    const { event: given } = builtIn as unknown as { readonly event: unknown };
    const event: unknown = typeof given === "function" ? given(args, params) : given;
    this.#ask(builtIn.type, { event }, { args });
  }

  /** Whether it is a child that is known by its name and has an id of its own, and so can be started here. */
  #spawns(builtIn: BuiltIn, args: ActionArguments): boolean {
    const { id, src, input, systemId } = builtIn as unknown as SpawnParams;
    const { actors } = this.#draft.machine.implementations;
    if (typeof id !== "string" || id === "" || systemId !== undefined) return false;
    if (typeof src !== "string" || !Object.hasOwn(actors, src)) return false;
    const { context, event, self } = args;
    const given: unknown = typeof input === "function" ? input({ context, event, self }) : input;
    const actorRef = new StartedChild(id, src, given);
    this.#draft.children = { ...this.#draft.children, [id]: actorRef } as never;
    this.hasChanged = true;
    this.#ask(builtIn.type, { id, systemId, actorRef, src, input: given }, { args });
    return true;
  }

  #stop(builtIn: BuiltIn, { args, params }: Doing): void {
    const { actorRef } = builtIn as unknown as { readonly actorRef: unknown };
    const named: unknown = typeof actorRef === "function" ? actorRef(args, params) : actorRef;
    const children = this.#draft.children as Children;
    const child = typeof named === "string" ? children[named] : named;
    if (child !== undefined && child !== null) {
      const { [(child as { readonly id: string }).id]: _, ...others } = children;
      this.#draft.children = others as never;
    }
    this.hasChanged = true;
    this.#ask(builtIn.type, child, { args });
  }

  #spawner(args: ActionArguments, spawned: Children): (src: unknown, options?: unknown) => unknown {
    return (src, options) => {
      const spawn = spawnOf(this.#scope.asActorScope(), this.#snapshot, args);
      const child = spawn(src, options);
      spawned[child.id] = child;
      return child;
    };
  }
}

function updateOf(assignment: unknown, args: object, params: unknown): object {
  if (typeof assignment === "function") return assignment(args, params) as object;
  const update: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(assignment as object)) {
    update[key] = typeof value === "function" ? value(args, params) : value;
  }
  return update;
}
