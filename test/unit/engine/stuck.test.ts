import { describe, expect, it } from "vitest";
import { type AnyStateMachine, createMachine, fromPromise, raise } from "xstate";
import { z } from "zod";
import { type Instance, stuckBecause, termsOf } from "../../../src/engine/instance.ts";
import { Registry } from "../../../src/engine/registry.ts";
import type { Parent } from "../../../src/engine/statechart/actor.ts";
import { viewOf } from "../../../src/engine/view.ts";
import { defineWorkflow } from "../../../src/workflow.ts";

const anything = z.object({});

interface Life {
  readonly events?: readonly string[];
  readonly internal?: readonly string[];
  readonly parent?: Parent;
}

/** The instance of a machine after its start. */
function started(machine: AnyStateMachine, life: Life = {}) {
  const { events = ["go"], internal = [], parent } = life;
  const schemas = Object.fromEntries(events.map((type) => [type, anything]));
  const workflow = defineWorkflow({ name: "w", version: "1", machine, events: schemas, internal });
  const definition = new Registry([workflow]).latest("w");
  const start = { key: "w/1", input: {}, now: 0, ...(parent && { parent }) };
  const result = definition.stepper.start(start);
  if (result.kind !== "applied") throw new Error("it does not start");
  const times = { createdAt: 0, updatedAt: 0 };
  const instance: Instance = {
    key: "w/1",
    version: 1,
    ...times,
    definition: "1",
    terms: [],
    actor: result.actor,
  };
  return { instance, definition };
}

function why(machine: AnyStateMachine, life?: Life): string | undefined {
  const { instance, definition } = started(machine, life);
  return stuckBecause(instance, definition);
}

const parts = { actors: { work: fromPromise(async () => 1) } };
const machineOf = (config: object): AnyStateMachine =>
  createMachine(config as never, parts as never);
const elsewhere = { elsewhere: { on: { go: "end" } }, end: { type: "final" as const } };
/** A machine that begins in a state with this in it. */
const beginning = (begin: object) =>
  machineOf({
    initial: "begin",
    states: { begin, ...elsewhere },
  });

describe("an instance is stuck", () => {
  it("in a state that has no way out at all", () => {
    expect(why(beginning({}))).toBe(
      "No timer is armed, no activity and no child runs, and its state reacts to no event.",
    );
  });

  it("where only an event of its own could help, and nobody is left to send it", () => {
    const machine = beginning({ on: { tick: "end" } });
    expect(why(machine, { internal: ["tick"] })).toContain("nothing but tick");
  });

  it("where a handler takes the declared event and does nothing", () => {
    const machine = machineOf({
      initial: "a",
      on: { go: ".b" },
      states: { a: { on: { go: {} } }, b: { on: { go: "a" } } },
    });
    expect(why(machine)).toContain("no event");
  });

  it("and the view of it says so, with what to do", () => {
    const { instance, definition } = started(beginning({}));
    expect(termsOf(instance, definition)).toContain("stuck:true");
    const view = viewOf(instance, definition);
    expect(view).toMatchObject({ status: "active", stuck: true });
    expect(view.advice).toMatch(/reacts to no event.*terminate/);
  });
});

describe("an instance is not stuck", () => {
  const parent: Parent = { key: "p/1", childId: "c", generation: 1 };
  it.each<[string, AnyStateMachine, Life]>([
    ["while a declared event may come", beginning({ on: { go: "end" } }), {}],
    [
      "while a guard may let an event through",
      beginning({ on: { go: { guard: () => false, target: "end" } } }),
      {},
    ],
    [
      "while a state around it reacts",
      machineOf({
        on: { go: { actions: raise({ type: "x" }) }, x: {} },
        initial: "a",
        states: { a: {} },
      }),
      { internal: ["x"] },
    ],
    [
      "while a region beside it reacts",
      machineOf({
        type: "parallel",
        states: { a: {}, b: { on: { go: { reenter: true, target: "b" } } } },
      }),
      {},
    ],
    ["while a timer is armed", beginning({ after: { 1_000: "end" } }), {}],
    [
      "while a delayed event of its own is on its way",
      beginning({ entry: raise({ type: "tick" }, { delay: 9, id: "t" }), on: { tick: "end" } }),
      { internal: ["tick"] },
    ],
    [
      "while an activity runs",
      beginning({ invoke: { id: "work", src: "work", onDone: "end" } }),
      {},
    ],
    [
      "while its parent may send it something",
      beginning({ on: { tick: "end" } }),
      { internal: ["tick"], parent },
    ],
    [
      "when nothing says which events may come",
      machineOf({ on: { "*": { reenter: true, target: "#x" } }, id: "x" }),
      { events: [], internal: [] },
    ],
    [
      "when it is over",
      machineOf({
        initial: "a",
        states: { a: { type: "final" }, b: { on: { go: "a" } } },
      }),
      {},
    ],
  ])("%s", (_, machine, life) => {
    expect(why(machine, life)).toBeUndefined();
  });

  it("while it stands still for an operator, who has another word for that", () => {
    const { instance, definition } = started(beginning({}));
    const failure = { type: "go", error: { name: "Error", message: "no" }, at: 0 };
    expect(stuckBecause({ ...instance, failure }, definition)).toBeUndefined();
    expect(stuckBecause({ ...instance, suspended: true }, definition)).toBeUndefined();
  });
});
