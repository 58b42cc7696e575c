import type { AnyActorScope, AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from "xstate";
import { WaybillError } from "../../errors.ts";
import type { ChildRecord } from "./actor.ts";

/** An action as XState hands it to the executor; `exec` of built-in ones is of no use here. */
export interface RequestedAction {
  readonly type: string;
  readonly params: unknown;
  readonly info: {
    readonly context: unknown;
    readonly event: AnyEventObject;
    readonly self: unknown;
  };
  readonly exec: ((info: unknown, params: unknown) => unknown) | undefined;
}

/** What a child that never runs remembers: XState evaluates its input and asks for nothing else. */
interface StubSnapshot {
  readonly status: "active";
  readonly output: undefined;
  readonly error: undefined;
  readonly input: unknown;
}

const stubLogic = {
  transition: (snapshot: StubSnapshot) => snapshot,
  getInitialSnapshot: (_scope: unknown, input: unknown): StubSnapshot => ({
    status: "active",
    output: undefined,
    error: undefined,
    input,
  }),
  getPersistedSnapshot: (snapshot: StubSnapshot) => snapshot,
};

/**
 * The machine with every actor replaced by one that never runs (XState would construct a child machine
 * in the middle of a transition) and with an end to eventless loops, which would hang the process.
 */
export function inertMachine(machine: AnyStateMachine): AnyStateMachine {
  const names = Object.keys(machine.implementations.actors);
  const actors = Object.fromEntries(names.map((name) => [name, stubLogic]));
  const inert: AnyStateMachine = machine.provide({ actors } as never);
  if (!Number.isFinite(inert.options.maxIterations)) inert.options.maxIterations = 1_000;
  return inert;
}

/** What stands for a child between two steps: an id and a generation instead of a whole XState actor. */
export class ChildReference {
  readonly id: string;
  readonly src: string;
  readonly generation: number;

  constructor({ id, source, generation }: Pick<ChildRecord, "id" | "source" | "generation">) {
    this.id = id;
    this.src = source;
    this.generation = generation;
  }

  get sessionId(): string {
    return this.id;
  }

  get ref(): this {
    return this;
  }

  send(): never {
    throw useSendTo();
  }

  getSnapshot(): { readonly status: "active" } {
    return { status: "active" };
  }

  getPersistedSnapshot(): { readonly status: "active" } {
    return { status: "active" };
  }
}

/** Stands for the parent of a child workflow. */
export const parentReference = new ChildReference({ id: "#parent", source: "", generation: 0 });

/** The `self` that user code sees. Every action gets one of its own, see `Scope.self`. */
class Self {
  readonly #scope: InertScope;

  constructor(scope: InertScope) {
    this.#scope = scope;
  }

  get id(): string {
    return this.#scope.key;
  }

  get sessionId(): string {
    return this.#scope.key;
  }

  get ref(): this {
    return this;
  }

  get system(): unknown {
    return this.#scope.system;
  }

  get _parent(): ChildReference | undefined {
    return this.#scope.parent;
  }

  send(): never {
    throw useSendTo();
  }

  getSnapshot(): AnyMachineSnapshot | undefined {
    return this.#scope.snapshot;
  }
}

/** True for any `self` that a scope has given out. */
export function isSelf(value: unknown): boolean {
  return value instanceof Self;
}

/**
 * The one scope in which all steps of a workflow run. XState's exported `transition()` makes an actor per
 * call and runs the context factory without input each time; a scope that stays costs a third of that.
 */
export class InertScope {
  readonly id = "";
  readonly sessionId = "";
  readonly system = inertSystem(this);
  key = "";
  parent: ChildReference | undefined;
  snapshot: AnyMachineSnapshot | undefined;
  actions: RequestedAction[] = [];
  /** Those sends that named no target, so that XState fell back to the sender itself. */
  readonly untargeted = new Set<RequestedAction>();
  #bookings = 0;
  #lastSelf: Self | undefined;

  /** Forgets the step before. */
  begin(step: {
    readonly key: string;
    readonly snapshot: AnyMachineSnapshot | undefined;
    readonly isChild: boolean;
  }): void {
    this.key = step.key;
    this.snapshot = step.snapshot;
    this.parent = step.isChild ? parentReference : undefined;
    this.actions = [];
    this.untargeted.clear();
    this.#bookings = 0;
  }

  /**
   * A new object at every reading: XState reads it once for an action's arguments, and once more only
   * when a send has no target, so that the two can be told apart.
   */
  get self(): Self {
    this.#lastSelf = new Self(this);
    return this.#lastSelf;
  }

  /** Takes what an action asks for. */
  actionExecutor(action: RequestedAction): void {
    if (this.#isUntargeted(action)) this.untargeted.add(action);
    this.actions.push(action);
  }

  #isUntargeted({ type, params, info }: RequestedAction): boolean {
    if (type !== "xstate.sendTo") return false;
    const { to, targetId } = params as { readonly to?: unknown; readonly targetId?: string };
    return targetId === undefined && to === this.#lastSelf && to !== info.self;
  }

  /** Ids of actors spawned without one: the same in every replay of a step, and never kept. */
  bookId(): string {
    return `unnamed:${this.#bookings++}`;
  }

  logger(): void {}
  defer(): void {}
  emit(): void {}
  stopChild(): void {}

  asActorScope(): AnyActorScope {
    return this as unknown as AnyActorScope;
  }
}

function inertSystem(scope: InertScope): object {
  return {
    _bookId: () => scope.bookId(),
    _register: (sessionId: string) => sessionId,
    _unregister() {},
    _set(systemId: string) {
      throw new WaybillError({
        code: "system-id",
        message: `The actor with systemId "${systemId}" cannot be durable: instances share a system.`,
        action: "Give the actor an id, and address it by that.",
      });
    },
    _sendInspectionEvent() {},
    _logger() {},
    _clock: undefined,
    get: () => undefined,
    getAll: () => ({}),
  };
}

/** The name of a guard, or undefined for none and for an inline function. */
export function guardName(guard: unknown): string | undefined {
  if (typeof guard === "string") return guard;
  if (typeof guard !== "object" || guard === null || !("type" in guard)) return undefined;
  return typeof guard.type === "string" ? guard.type : undefined;
}

function useSendTo(): WaybillError {
  return new WaybillError({
    code: "inert-reference",
    message: "Actors cannot be sent to while a transition is computed.",
    action: "Use the actions sendTo, sendParent or raise.",
  });
}
