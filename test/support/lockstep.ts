import assert from "node:assert/strict";
import {
  type AnyActor,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  fromCallback,
  fromPromise,
} from "xstate";
import type { Actor, ActorRecord } from "../../src/engine/statechart/actor.ts";
import type { Effect } from "../../src/engine/statechart/effects.ts";
import type { Origin, Stepper, StepResult } from "../../src/engine/step.ts";
import type { Workflow } from "../../src/workflow.ts";
import { ManualClock } from "./manual-clock.ts";

type Applied = Extract<StepResult, { kind: "applied" }>;

/** `illegal` and `path-dependent`: XState itself goes wrong in a known way, and the comparison is over. */
export type Progress = "going" | "ended" | "threw" | "illegal" | "path-dependent";

/** An event with who it comes from. */
export interface Play {
  readonly event: AnyEventObject;
  readonly origin?: Origin;
}

/**
 * Shows the same events to a live XState actor, to a stepper whose actor stays in memory, and to one whose
 * actor passes through JSON after every event. They must not differ.
 */
export class Lockstep {
  readonly #stepper: Stepper;
  readonly #clock = new ManualClock();
  readonly #live: AnyActor;
  readonly #liveEmits: unknown[] = [];
  readonly #emits: unknown[] = [];
  readonly #armed = new Set<number>();
  readonly #running = new Set<number>();
  readonly #queue: AnyEventObject[] = [];
  #hot: Actor | undefined;
  #restored: Actor | undefined;
  /** Events shown so far. */
  events = 0;

  constructor(workflow: Workflow, stepper: Stepper, input: unknown) {
    this.#stepper = stepper;
    this.#live = createActor(deaf(workflow.machine), {
      input,
      clock: this.#clock,
      logger() {},
    });
    mendCancel(this.#live, this.#clock);
    this.#live.on("*", (event) => this.#liveEmits.push(event));
    this.#live.subscribe({ error() {} });
    this.#live.start();
  }

  start(input: unknown): Progress {
    const result = this.#stepper.start({ key: "any/1", input, now: 0 });
    if (result.kind === "refused") return this.#refused(result);
    this.#take(result, result);
    return this.#drainOwn() ?? this.#compare();
  }

  /** What could happen next, apart from events from outside: timers, and answers of children. */
  plays(): readonly Play[] {
    const { timers, children } = this.#actor();
    const due = Math.min(...timers.map((timer) => timer.due));
    const fired = timers
      .filter((timer) => timer.due === due)
      .slice(0, 1)
      .map(({ name, generation, event }) => ({ event, origin: { timer: name, generation } }));
    const answers = children
      .filter((child) => child.ended === undefined)
      .flatMap(({ id, generation }) => {
        const origin = { child: id, generation };
        return [
          { event: { type: `xstate.done.actor.${id}`, output: 1, actorId: id }, origin },
          {
            event: { type: `xstate.error.actor.${id}`, error: { name: "E", message: "x" } },
            origin,
          },
        ];
      });
    return [...fired, ...answers];
  }

  play(play: Play): Progress {
    this.events++;
    const ordered = isOrdered(this.#live.getSnapshot() as AnyMachineSnapshot);
    try {
      return this.#play(play);
    } catch (difference) {
      if (!ordered) return "path-dependent";
      throw difference;
    }
  }

  stop(): void {
    this.#live.stop();
  }

  #play({ event, origin }: Play): Progress {
    const timer = this.#timerOf(origin);
    if (timer !== undefined) this.#clock.now = timer.due;
    const { now } = this.#clock;
    const hot = this.#stepper.apply(this.#hot as Actor, event, now, origin);
    const restored = this.#stepper.apply(this.#actor(), event, now, origin);
    if (timer === undefined) this.#live.send(event);
    else assert(this.#clock.fireOne(), "the live actor has no such timer");
    assert.equal(hot.kind, restored.kind);
    if (restored.kind === "refused") return this.#refused(restored);
    this.#take(hot as Applied, restored);
    this.#settle(origin);
    return this.#drainOwn() ?? this.#compare();
  }

  /** Events that the actor has sent to itself are ordinary ones of the next steps. */
  #drainOwn(): Progress | undefined {
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
      const hot = this.#stepper.apply(this.#hot as Actor, event, this.#clock.now);
      const restored = this.#stepper.apply(this.#actor(), event, this.#clock.now);
      assert.equal(hot.kind, restored.kind);
      if (restored.kind === "refused" && restored.reason === "ended") continue;
      if (restored.kind === "refused") return this.#refused(restored);
      this.#take(hot as Applied, restored);
    }
    return undefined;
  }

  #take(hot: Applied, restored: Applied): void {
    const record = this.#stepper.pack(restored.actor);
    assert.deepEqual(this.#stepper.pack(hot.actor), record, "in memory and restored");
    assert.deepEqual(hot.effects.map(comparable), restored.effects.map(comparable));
    this.#hot = hot.actor;
    this.#restored = this.#stepper.unpack(JSON.parse(JSON.stringify(record)) as ActorRecord);
    assert.deepEqual(this.#stepper.accepts(this.#restored), this.#stepper.accepts(hot.actor));
    for (const effect of restored.effects) this.#note(effect);
  }

  #note(effect: Effect): void {
    if (effect.kind === "emit") this.#emits.push(effect.event);
    else if (effect.kind === "raise-self") this.#queue.push(effect.event);
    else if (effect.kind === "arm") this.#armed.add(effect.generation);
    else if (effect.kind === "disarm") assert(this.#armed.delete(effect.generation));
    else if (effect.kind.startsWith("start-")) this.#running.add(generationOf(effect));
    else if (effect.kind.startsWith("stop-")) assert(this.#running.delete(generationOf(effect)));
  }

  /** A fired timer and an answered child need no effect to be gone. */
  #settle(origin: Origin | undefined): void {
    if (origin === undefined) return;
    if ("timer" in origin) this.#armed.delete(origin.generation);
    else this.#running.delete(origin.generation);
  }

  #compare(): Progress {
    const actor = this.#actor();
    const live = this.#live.getSnapshot() as AnyMachineSnapshot;
    const ours = actor.snapshot;
    assert.equal(ours.status, live.status);
    assert.deepEqual(ours.value, live.value);
    assert.deepEqual(ours.context, viaJson(live.context));
    assert.deepEqual(viaJson(ours.output), viaJson(live.output));
    assert.deepEqual(this.#emits, viaJson(this.#liveEmits));
    const { timers, children } = actor;
    assert.deepEqual(sorted([...this.#armed]), sorted(timers.map((timer) => timer.generation)));
    const running = children.filter(({ ended }) => ended === undefined);
    assert.deepEqual(sorted([...this.#running]), sorted(running.map((child) => child.generation)));
    if (live.status !== "active") return "ended";
    assert.deepEqual(sorted(timers.map(({ due }) => due)), sorted(this.#clock.dues()));
    assert.deepEqual(new Set(children.map(({ id }) => id)), new Set(Object.keys(live.children)));
    return "going";
  }

  #refused(result: Extract<StepResult, { kind: "refused" }>): Progress {
    assert.equal(result.reason, "threw", JSON.stringify(result));
    if (result.error?.["code"] === "illegal-configuration") return "illegal";
    assert.equal(this.#live.getSnapshot().status, "error", JSON.stringify(result.error));
    return "threw";
  }

  #timerOf(origin: Origin | undefined): Actor["timers"][number] | undefined {
    if (origin === undefined || !("timer" in origin)) return undefined;
    return this.#actor().timers.find(({ generation }) => generation === origin.generation);
  }

  #actor(): Actor {
    assert(this.#restored !== undefined, "not started");
    return this.#restored;
  }
}

/** The machine with actors that never answer. */
function deaf(machine: AnyStateMachine): AnyStateMachine {
  const never = fromPromise(() => new Promise<never>(() => {}));
  const silent = fromCallback(() => {});
  const actors = Object.entries(machine.implementations.actors).map(([name, logic]) => [
    name,
    "__xstatenode" in logic ? silent : never,
  ]);
  const made: AnyStateMachine = machine.provide({ actors: Object.fromEntries(actors) } as never);
  made.options.maxIterations = Math.min(machine.options.maxIterations ?? Infinity, 1_000);
  return made;
}

/** The part of XState's scheduler that is mended. */
interface Scheduler {
  schedule: (...args: [source: AnyActor, ...rest: unknown[]]) => void;
  cancel: (source: AnyActor, id: string) => void;
}

/** Live XState forgets the earlier of two timers with one id: `cancel` should cancel both, and so does it here. */
function mendCancel(live: AnyActor, clock: ManualClock): void {
  const { scheduler } = live.system as unknown as { scheduler: Scheduler };
  const { schedule, cancel } = scheduler;
  const set = new Map<unknown, number[]>();
  scheduler.schedule = (...args) => {
    schedule(...args);
    const id = args[4];
    set.set(id, [...(set.get(id) ?? []), clock.lastId]);
  };
  scheduler.cancel = (source, id) => {
    cancel(source, id);
    for (const timer of set.get(id) ?? []) clock.clearTimeout(timer);
    set.delete(id);
  };
}

function comparable(effect: Effect): unknown {
  return viaJson(effect);
}

function generationOf(effect: Effect): number {
  return "generation" in effect ? (effect.generation ?? 0) : 0;
}

function viaJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function sorted(numbers: readonly number[]): readonly number[] {
  return numbers.toSorted((one, other) => one - other);
}

/** Live XState keeps its states in the order in which they were entered, and decides conflicts by it. */
function isOrdered({ _nodes: nodes }: AnyMachineSnapshot): boolean {
  return nodes.every((node, index) => index === 0 || (nodes[index - 1]?.order ?? 0) <= node.order);
}
