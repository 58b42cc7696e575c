import { expect, test } from "vitest";
import { type AnyStateMachine, createMachine, fromPromise, raise } from "xstate";
import { z } from "zod";
import { defineWorkflow } from "../../src/workflow.ts";
import { deadEnds } from "../../src/workflow-dead-ends.ts";

const parts = { actors: { work: fromPromise(async () => 1) } };
const machineOf = (config: object): AnyStateMachine =>
  createMachine(config as never, parts as never);

function found(machine: AnyStateMachine, internal: readonly string[] = [], isChild = false) {
  const events = { go: z.object({}) };
  return deadEnds(defineWorkflow({ name: "w", version: "1", machine, events, internal }), isChild);
}

const start = { on: { go: "there" } };

test("A state that nothing leads out of is named", () => {
  const machine = machineOf({
    id: "m",
    initial: "start",
    states: { start, there: { initial: "deep", states: { deep: {} }, onDone: "start" } },
  });
  expect(found(machine)).toEqual(["m.there.deep"]);
});

test("An event that nobody but the machine may send leads nowhere by itself", () => {
  const states = { start, there: { on: { tick: "start" } } };
  const machine = machineOf({ id: "m", initial: "start", states });
  expect(found(machine, ["tick"])).toEqual(["m.there"]);
  expect(found(machine, ["tick"], true)).toEqual([]);
});

test.each<[string, object]>([
  ["a declared event", { on: { go: "start" } }],
  ["a wildcard that stands for one", { on: { "*": "start" } }],
  ["a timer", { after: { 5: "start" } }],
  ["an activity", { invoke: { id: "work", src: "work" } }],
  ["an eventless transition", { always: { guard: () => false, target: "start" } }],
  ["its being final", { type: "final" }],
])("Nothing is said of a state that %s leads out of", (_, there) => {
  const states = { start, there };
  expect(found(machineOf({ initial: "start", states }))).toEqual([]);
});

test("Nothing is said where other regions or late events may help", () => {
  const beside = machineOf({
    type: "parallel",
    states: { a: start, there: {} },
  });
  expect(found(beside)).toEqual([]);
  const late = raise({ type: "tick" }, { delay: 5, id: "t" });
  const states = { start: { ...start, entry: late }, there: { on: { tick: "start" } } };
  expect(found(machineOf({ initial: "start", states }), ["tick"])).toEqual([]);
});
