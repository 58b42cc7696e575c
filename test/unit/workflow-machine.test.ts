import { describe, expect, test } from "vitest";
import {
  and,
  assign,
  cancel,
  createActor,
  emit,
  enqueueActions,
  forwardTo,
  fromCallback,
  fromObservable,
  fromPromise,
  fromTransition,
  log,
  not,
  raise,
  sendParent,
  sendTo,
  spawnChild,
  stateIn,
} from "xstate";
import { z } from "zod";
import { machineOf, problemsOf } from "../support/problems.ts";

const work = fromPromise(async () => 1);

describe("what cannot be durable is refused, and the state named", () => {
  const invoking = (invoke: object, actors: object = { work }): readonly string[] =>
    problemsOf({ initial: "a", states: { a: { invoke } } }, { actors });

  test("an inline actor", () => {
    expect(invoking({ id: "x", src: work })).toEqual([
      expect.stringContaining('State "m.a": invoke "x" has inline logic'),
    ]);
  });

  test.each([
    ["a callback", fromCallback(() => {})],
    ["an observable", fromObservable(() => ({ subscribe: () => ({ unsubscribe() {} }) }))],
    ["a transition function", fromTransition((state: number) => state, 0)],
  ])("%s", (_name, logic) => {
    expect(invoking({ id: "x", src: "work" }, { work: logic })).toEqual([
      expect.stringMatching(/"work" \(invoked in state "m.a"\) is neither a promise nor a machine/),
    ]);
  });

  test("an actor that is named but not implemented", () => {
    expect(invoking({ id: "x", src: "nobody" })).toEqual([
      expect.stringContaining('invoke "x" uses actor "nobody", which is not implemented'),
    ]);
  });

  test("an invoke without an explicit id", () => {
    expect(invoking({ src: "work" })).toEqual([expect.stringContaining('"work" has no id')]);
  });

  test("systemId and onSnapshot", () => {
    expect(invoking({ id: "x", src: "work", systemId: "s", onSnapshot: {} })).toEqual([
      expect.stringContaining("onSnapshot"),
      expect.stringContaining("systemId"),
    ]);
  });

  test("spawnChild without an id, with a systemId, with inline logic", () => {
    const spawn = (source: unknown, options: object): readonly string[] =>
      problemsOf({ entry: spawnChild(source as never, options as never) }, { actors: { work } });
    expect(spawn("work", {})).toEqual([expect.stringContaining("has no id")]);
    expect(spawn("work", { id: "x", systemId: "s" })).toEqual([
      expect.stringContaining("systemId"),
    ]);
    expect(spawn(work, { id: "x" })).toEqual([expect.stringContaining("inline logic")]);
    expect(spawn("nobody", { id: "x" })).toEqual([expect.stringContaining("not implemented")]);
    expect(spawn("work", { id: "x" })).toEqual([]);
  });

  test("an inline side-effect action", () => {
    function sendMail(): void {}
    expect(problemsOf({ entry: sendMail })).toEqual([
      expect.stringContaining('State "m": the inline action "sendMail"'),
    ]);
  });

  test("a problem in a child workflow", () => {
    const child = machineOf({ id: "c", entry: () => {} });
    expect(problemsOf({}, { actors: { child } })).toEqual([
      expect.stringContaining('w.child: State "c": the inline action'),
    ]);
  });

  test("but not the built-in actions", () => {
    const actions = [
      assign({}),
      emit({ type: "said" }),
      raise({ type: "own" }),
      sendTo(({ self }) => self, { type: "own" }),
      log("x"),
      cancel("x"),
      enqueueActions(() => {}),
    ];
    expect(problemsOf({ entry: actions, on: { own: { actions: [] } } })).toEqual([]);
  });
});

describe("what would go wrong in silence is refused", () => {
  test("an undefined delay of after, at the root and nested", () => {
    const config = {
      after: { soon: ".a" },
      initial: "a",
      states: { a: { after: { later: "a" } } },
    };
    expect(problemsOf(config)).toEqual([
      expect.stringContaining('State "m": the delay "soon" of after is undefined'),
      expect.stringContaining('State "m.a": the delay "later" of after is undefined'),
    ]);
    expect(problemsOf(config, { delays: { soon: 1, later: () => 2 } })).toEqual([]);
  });

  test("an undefined delay of raise and sendTo, and a delayed one without id", () => {
    const actions = [
      raise({ type: "own" }, { delay: "soon", id: "x" } as never),
      raise({ type: "own" }, { delay: 5 }),
      sendTo(({ self }) => self, { type: "own" }, { delay: 5 }),
    ];
    expect(problemsOf({ entry: actions, on: { own: { actions: [] } } })).toEqual([
      expect.stringContaining('the delay "soon" of raise is undefined'),
      expect.stringContaining("a delayed raise has no id"),
      expect.stringContaining("a delayed sendTo has no id"),
    ]);
  });

  test("the same behind the name of an action", () => {
    const later = raise({ type: "own" }, { delay: 5 });
    const config = { entry: "later", on: { own: { actions: [] } } };
    expect(problemsOf(config, { actions: { later } })).toEqual([
      expect.stringContaining('State "m": a delayed raise has no id'),
    ]);
  });

  test("an initial state that does not exist", () => {
    expect(problemsOf({ initial: "b", states: { a: {} } })).toContainEqual(
      expect.stringContaining('State "m": the initial state "b" does not exist'),
    );
  });

  test("an id used twice", () => {
    const states = { a: { id: "same" }, b: { id: "same" } };
    expect(problemsOf({ initial: "a", states })).toEqual([
      expect.stringContaining('State "same": the id is used twice'),
    ]);
  });

  test("a history state with a target that does not exist", () => {
    const states = { a: {}, h: { type: "history", target: "nowhere" } };
    expect(problemsOf({ initial: "a", states })).toEqual([
      expect.stringContaining('State "m.h": the target "nowhere" does not exist'),
    ]);
  });

  test("an action and a guard without implementation, in combinations of guards too", () => {
    const guard = and(["known" as never, not("unknown" as never), stateIn("a")]);
    const config = { entry: "shout", on: { go: { guard, actions: [] } } };
    const events = { go: z.object({}) };
    expect(problemsOf(config, { guards: { known: () => true } }, { events })).toEqual([
      expect.stringContaining('guard "unknown" is not implemented'),
      expect.stringContaining('action "shout" is not implemented'),
    ]);
  });

  test("forwardTo and sendTo without a target", () => {
    const actions = [
      forwardTo(undefined as never),
      sendTo(undefined as never, { type: "x" } as never),
    ];
    expect(problemsOf({ exit: actions })).toEqual([
      expect.stringContaining("no target"),
      expect.stringContaining("no target"),
    ]);
  });

  test("sendTo with an actor instead of its id, which a restart would not bring back", () => {
    expect(problemsOf({ entry: sendTo(createActor(work), { type: "x" }) })).toEqual([
      expect.stringContaining("sendTo has an actor as its target"),
    ]);
  });

  test("sendParent in a workflow that has no parent, but not in a child", () => {
    const entry = sendParent({ type: "own" });
    expect(problemsOf({ entry })).toEqual([expect.stringContaining("no parent")]);
    const child = machineOf({ entry });
    expect(problemsOf({ on: { own: { actions: [] } } }, { actors: { child } })).toEqual([]);
  });

  test("a wildcard handler that would swallow the failure of an invoke", () => {
    const any = { "*": { actions: [] } };
    const invoke = { id: "x", src: "work", onDone: { actions: [] } };
    const refusals = (config: object): readonly string[] =>
      problemsOf(config, { actors: { work } }).filter((text) => text.includes("swallow"));
    expect(refusals({ on: any, initial: "a", states: { a: { invoke } } })).toEqual([
      'State "m": the handler "*" would swallow answers of invoke "x".',
    ]);
    const handled = { ...invoke, onError: { actions: [] } };
    expect(refusals({ on: any, initial: "a", states: { a: { invoke: handled } } })).toEqual([]);
    expect(refusals({ invoke: handled, initial: "a", states: { a: { on: any } } })).toHaveLength(1);
    const exclusive = { a: { invoke }, b: { on: any } };
    expect(refusals({ initial: "a", states: exclusive })).toEqual([]);
    expect(refusals({ type: "parallel", states: exclusive })).toHaveLength(1);
  });
});
