import type { AnyEventObject, AnyMachineSnapshot } from "xstate";
import { toErrorRecord, WaybillError } from "../../errors.ts";
import type { Address, ChildRecord } from "./actor.ts";
import { ChildReference, isSelf, parentReference, type RequestedAction } from "./inert.ts";
import { type Ledger, plainEvent } from "./ledger.ts";
import { plain } from "./plain.ts";

type Children = Readonly<Record<string, unknown>>;

/** What XState did in one step. */
interface Transition {
  readonly actions: readonly RequestedAction[];
  readonly untargeted: ReadonlySet<RequestedAction>;
  readonly implementations: Readonly<Record<string, unknown>>;
  readonly isChild: (source: string) => boolean;
  readonly before: Children;
  readonly next: AnyMachineSnapshot;
}

/** An actor that XState has constructed during the step around one of our stubs. */
interface SpawnedActor {
  readonly id: string;
  readonly sessionId: string;
  readonly src: unknown;
  getSnapshot(): { readonly input?: unknown };
}

/** The parameters of XState's built-in actions, as far as they matter here. */
interface SendParams {
  readonly to: unknown;
  readonly targetId?: string;
  readonly event: AnyEventObject;
  readonly id?: string;
  readonly delay?: unknown;
}

/** Enters into the ledger, in order, what a step asks for. */
export function accountFor(ledger: Ledger, transition: Transition): void {
  const { actions, next, before } = transition;
  // Many a step does nothing but change the context.
  if (actions.length === 0 && next.children === before && next.status === "active") return;
  new Account(ledger, transition).settle();
}

class Account {
  readonly #ledger: Ledger;
  readonly #transition: Transition;
  /** Actors that this step made and that are still there at its end, until they are entered as started. */
  readonly #pending = new Set<SpawnedActor>();
  /** The records of those that were entered. */
  readonly #started = new Map<unknown, ChildRecord>();

  constructor(ledger: Ledger, transition: Transition) {
    this.#ledger = ledger;
    this.#transition = transition;
    const { before } = transition;
    const after = transition.next.children as Children;
    for (const id in after) {
      const actor = after[id];
      if (actor !== undefined && before[id] !== actor) this.#pending.add(actor as SpawnedActor);
    }
  }

  settle(): void {
    for (const action of this.#transition.actions) this.#enter(action);
    this.#settleChildren();
    const { next } = this.#transition;
    if (next.status === "active") return;
    this.#ledger.clear();
    this.#ledger.add({
      kind: "end",
      status: next.status,
      ...(next.output === undefined ? {} : { output: next.output }),
      ...(next.status === "error" ? { error: toErrorRecord(next.error) } : {}),
    });
  }

  #enter(action: RequestedAction): void {
    const params = action.params as SendParams;
    switch (action.type) {
      case "xstate.emit":
        return this.#ledger.add({ kind: "emit", event: plainEvent(params.event) });
      case "xstate.raise":
        return this.#raise(params);
      case "xstate.sendTo":
        return this.#send(params, this.#transition.untargeted.has(action));
      case "xstate.cancel":
        return this.#ledger.disarm((action.params as { readonly sendId: string }).sendId);
      case "xstate.spawnChild":
        return this.#spawn(action.params as { readonly actorRef?: SpawnedActor; src: unknown });
      case "xstate.stopChild":
        return this.#stop(action.params);
      case "xstate.log":
        return this.#log(action.params as { readonly label?: string; readonly value: unknown });
      default:
        return this.#custom(action);
    }
  }

  #raise({ event, id, delay }: SendParams): void {
    if (typeof delay === "number") {
      return this.#ledger.arm({ name: id ?? event.type, delayMs: delay, event });
    }
    // Undelayed ones were processed within the step. XState does the same with an undefined timeout.
    if (id?.startsWith("xstate.after.")) throw undefinedDelay(id);
  }

  #send({ to, event, id, delay }: SendParams, untargeted: boolean): void {
    if (untargeted) throw noTarget(event.type);
    const toSelf = isSelf(to);
    const target = toSelf ? undefined : this.#addressOf(to);
    if (typeof delay === "number") {
      const timer = { name: id ?? event.type, delayMs: delay, event };
      if (toSelf) this.#ledger.arm(timer);
      else if (target !== undefined) this.#ledger.arm({ ...timer, target });
    } else if (toSelf) {
      this.#ledger.add({ kind: "raise-self", event: plainEvent(event) });
    } else if (target !== undefined) {
      this.#ledger.send(target, event);
    }
  }

  /** Where a send goes, or undefined when that actor has ended or did not outlive the step. */
  #addressOf(to: unknown): Address | undefined {
    if (to === parentReference) return { to: "#parent" };
    const actor = this.#resolve(to);
    if (this.#pending.has(actor as SpawnedActor)) this.#start(actor as SpawnedActor);
    const generation =
      actor instanceof ChildReference ? actor.generation : this.#started.get(actor)?.generation;
    if (generation === undefined) return undefined;
    const address: Address = { to: (actor as SpawnedActor).id, generation };
    return this.#ledger.reaches(address) ? address : undefined;
  }

  /** A reference kept in the context has been through JSON: only its id is left. */
  #resolve(to: unknown): unknown {
    if (typeof to !== "object" || to === null || !("xstate$$type" in to)) return to;
    const id = String((to as { readonly id?: unknown }).id);
    return (this.#transition.next.children as Children)[id] ?? this.#transition.before[id] ?? to;
  }

  #spawn({ actorRef, src }: { readonly actorRef?: SpawnedActor; readonly src: unknown }): void {
    if (actorRef === undefined) throw notImplemented("actor", String(src));
    // What was started and stopped again in the same step is not pending and leaves no trace.
    if (this.#pending.has(actorRef)) this.#start(actorRef);
  }

  #start(actor: SpawnedActor): void {
    this.#pending.delete(actor);
    const { id, src } = actor;
    if (id === actor.sessionId) throw unnamedSpawn(src);
    if (typeof src !== "string" || src.startsWith("xstate.invoke.")) throw inlineActor(id);
    const kind = this.#transition.isChild(src) ? "child" : "activity";
    const { input } = actor.getSnapshot();
    this.#started.set(actor, this.#ledger.start({ id, source: src, kind, input }));
  }

  /** Enters a stop where it happened, after the exit actions that may still send to the child. */
  #stop(actor: unknown): void {
    if (!(actor instanceof ChildReference)) return;
    if (this.#ledger.child(actor.id)?.generation === actor.generation) this.#ledger.stop(actor.id);
  }

  /** Only comparing the children shows what was spawned inside an assign, or stopped by a mere reference. */
  #settleChildren(): void {
    const { before, next } = this.#transition;
    const nextChildren = next.children as Children;
    if (nextChildren === before) return;
    for (const id in before) if (nextChildren[id] !== before[id]) this.#stop(before[id]);
    if (next.status !== "active" || this.#pending.size === 0) return;
    const spawned = [...this.#pending].toSorted((one, other) => (one.id < other.id ? -1 : 1));
    for (const actor of spawned) this.#start(actor);
  }

  #log({ label, value }: { readonly label?: string; readonly value: unknown }): void {
    this.#ledger.add({ kind: "log", label, value: plain(value, "log") });
  }

  #custom({ type, params, info, exec }: RequestedAction): void {
    const known = Object.hasOwn(this.#transition.implementations, type);
    if (!known || exec === undefined) throw notImplemented("action", type);
    if (this.#transition.implementations[type] !== exec) throw notImplemented("action", type);
    const { context, event } = info;
    const run = (): unknown => exec({ context, event }, params);
    this.#ledger.add({ kind: "action", type, params, run });
  }
}

function undefinedDelay(id: string): WaybillError {
  return new WaybillError({
    code: "undefined-delay",
    message: `The delay of "${id}" is undefined; XState would fire it at once.`,
    action: "Name the delay under `delays` in setup, and let it return a number.",
  });
}

function noTarget(type: string): WaybillError {
  return new WaybillError({
    code: "no-target",
    message: `"${type}" is sent or forwarded to an undefined actor; XState would loop for ever.`,
    action: "Let the target of sendTo or forwardTo be the id of a child, or self.",
  });
}

function notImplemented(what: "action" | "actor", name: string): WaybillError {
  return new WaybillError({
    code: "not-implemented",
    message: `The ${what} "${name}" is not among those named in setup.`,
    action: `Name it under \`${what}s\` in setup, and use it by its name.`,
  });
}

function unnamedSpawn(src: unknown): WaybillError {
  return new WaybillError({
    code: "spawn-without-id",
    message: `The actor "${String(src)}" is spawned without an id.`,
    action: "Give spawn or spawnChild an explicit `id`, a string.",
  });
}

function inlineActor(id: string): WaybillError {
  return new WaybillError({
    code: "inline-actor",
    message: `The logic of the actor "${id}" has no name.`,
    action: "Name it under `actors` in setup, and use it by its name.",
  });
}
