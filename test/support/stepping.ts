import assert from "node:assert/strict";
import { type AnyEventObject, type AnyStateMachine, createMachine } from "xstate";
import { activityOptions, runOf } from "../../src/activity.ts";
import type { Actor, ActorRecord } from "../../src/engine/statechart/actor.ts";
import type { Effect } from "../../src/engine/statechart/effects.ts";
import { type Origin, Stepper, type StepResult } from "../../src/engine/step.ts";
import type { Workflow } from "../../src/workflow.ts";
import { isMachine } from "../../src/workflow-states.ts";

export type Applied = Extract<StepResult, { kind: "applied" }>;

/** A stepper for a machine that was not checked, to see what happens when a problem only shows at run time. */
export function uncheckedStepper(config: object, parts: object = {}): Stepper {
  const machine = createMachine({ id: "m", ...config } as never, parts as never);
  return new Stepper(unchecked(machine));
}

function unchecked(machine: AnyStateMachine): Workflow {
  const actors = Object.entries(machine.implementations.actors);
  return {
    name: "any",
    version: "1",
    machine,
    input: undefined,
    startedBy: [],
    instanceId: undefined,
    events: new Map(),
    emits: new Map(),
    internal: [],
    children: new Map(
      actors.flatMap(([name, logic]) => (isMachine(logic) ? [[name, unchecked(logic)]] : [])),
    ),
    activities: new Map(
      actors.map(([name, logic]) => [name, { options: activityOptions(logic), run: runOf(logic) }]),
    ),
    attributes: undefined,
    retentionMs: 0,
    history: true,
    indexed: true,
  };
}

/** The result of a step that has to succeed. */
export function applied(result: StepResult): Applied {
  assert.equal(result.kind, "applied", JSON.stringify(result));
  return result;
}

/** The code of the error of a step that has to be refused for what it threw. */
export function thrown(result: StepResult): unknown {
  assert.equal(result.kind, "refused");
  const { reason, error } = result;
  assert.equal(reason, "threw");
  return error?.["code"] ?? error?.message;
}

/** One actor that goes through JSON between its steps, at time 0. */
export class Played {
  readonly stepper: Stepper;
  actor: Actor;
  /** Those of the last step. */
  effects: readonly Effect[];

  constructor(stepper: Stepper, input?: unknown) {
    this.stepper = stepper;
    const { actor, effects } = applied(stepper.start({ key: "any/1", input, now: 0 }));
    this.actor = restored(stepper, actor);
    this.effects = effects;
  }

  get value(): unknown {
    return this.actor.snapshot.value;
  }

  get context(): unknown {
    return this.actor.snapshot.context;
  }

  /** Applies an event that has to be applied. */
  send(event: AnyEventObject, origin?: Origin): this {
    const { actor, effects } = applied(this.try(event, origin));
    this.actor = restored(this.stepper, actor);
    this.effects = effects;
    return this;
  }

  try(event: AnyEventObject, origin?: Origin): StepResult {
    return this.stepper.apply(this.actor, event, 0, origin);
  }

  /** The event and the origin of a timer as it will come back. */
  fired(name: string, index = 0): [AnyEventObject, Origin] {
    const timer = this.actor.timers.filter((one) => one.name === name)[index];
    assert(timer !== undefined, `no timer ${name}`);
    return [timer.event, { timer: name, generation: timer.generation }];
  }

  /** The event and the origin of a child's result as it will come back. */
  done(id: string, output?: unknown): [AnyEventObject, Origin] {
    const origin = { child: id, generation: this.#generation(id) };
    return [{ type: `xstate.done.actor.${id}`, output, actorId: id }, origin];
  }

  failed(id: string, error: unknown = { name: "E", message: "x" }): [AnyEventObject, Origin] {
    const origin = { child: id, generation: this.#generation(id) };
    return [{ type: `xstate.error.actor.${id}`, error, actorId: id }, origin];
  }

  #generation(id: string): number {
    const child = this.actor.children.find((one) => one.id === id);
    assert(child !== undefined, `no child ${id}`);
    return child.generation;
  }
}

/** The actor as another process will see it. */
export function restored(stepper: Stepper, actor: Actor): Actor {
  return stepper.unpack(JSON.parse(JSON.stringify(stepper.pack(actor))) as ActorRecord);
}
