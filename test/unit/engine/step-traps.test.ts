import { describe, expect, test, vi } from "vitest";
import {
  assign,
  createActor,
  createMachine,
  emit,
  enqueueActions,
  fromPromise,
  raise,
  sendTo,
} from "xstate";
import { problemsOf } from "../../support/problems.ts";
import { applied, Played, thrown, uncheckedStepper } from "../../support/stepping.ts";

const work = fromPromise(async () => 1);
const actors = { work };

function played(config: object, parts: object = {}, input?: unknown): Played {
  return new Played(uncheckedStepper(config, parts), input);
}

describe("the traps of XState, by their number in the research", () => {
  test("1: the context factory runs once, and always with its input", () => {
    const context = vi.fn<(args: { input: { n: number } }) => object>(({ input }) => input);
    const on = { go: { actions: assign({ n: 5 }) } };
    const play = played({ context, on }, {}, { n: 1 });
    play.send({ type: "go" }).send({ type: "go" });
    expect(context).toHaveBeenCalledTimes(1);
    expect(play.context).toEqual({ n: 5 });
  });

  test("2: a timer or a result of an earlier visit is stale", () => {
    const a = {
      after: { 10: "b" },
      invoke: { id: "w", src: "work", onDone: "b" },
      on: { again: { target: "a", reenter: true } },
    };
    const play = played({ context: {}, initial: "a", states: { a, b: {} } }, { actors });
    const timer = play.fired("xstate.after.10.m.a");
    const result = play.done("w");
    play.send({ type: "again" });
    expect(play.try(...timer)).toEqual({ kind: "refused", reason: "stale" });
    expect(play.try(...result)).toEqual({ kind: "refused", reason: "stale" });
    expect(play.send(...play.fired("xstate.after.10.m.a")).value).toBe("b");
  });

  test("3: an undefined delay does not fire at once", () => {
    const states = { a: { on: { go: "b" } }, b: { after: { unknown: "a" } } };
    const play = played({ context: {}, initial: "a", states });
    expect(thrown(play.try({ type: "go" }))).toBe("undefined-delay");
    const computed = { ...states, b: { after: { computed: "a" } } };
    const delays = { computed: () => Number.NaN };
    const other = played({ context: {}, initial: "a", states: computed }, { delays });
    expect(thrown(other.try({ type: "go" }))).toBe("invalid-delay");
  });

  test("4: an ended machine takes no event", () => {
    const states = { a: { on: { end: "z" } }, z: { type: "final" } };
    const on = { cancel: { target: ".a", actions: emit({ type: "x" }) } };
    const play = played({ context: {}, initial: "a", states, on });
    play.send({ type: "end" });
    expect(play.try({ type: "cancel" })).toEqual({ kind: "refused", reason: "ended" });
  });

  test("5: a parallel state left for its own history is refused, and nothing lost", () => {
    const inner = { initial: "x", states: { x: { on: { back: "#m.p.h" } } } };
    const p = { type: "parallel", states: { r: inner, s: inner, h: { type: "history" } } };
    const play = played({ context: {}, initial: "p", states: { p, q: {} } });
    const before = play.actor;
    expect(thrown(play.try({ type: "back" }))).toBe("illegal-configuration");
    expect(play.actor).toBe(before);
    expect(play.value).toEqual({ p: { r: "x", s: "x" } });
  });

  test("6: conflicts are decided alike in memory and after a restore", () => {
    const flagged = ({ context }: { context: { flag: boolean } }): boolean => context.flag;
    const region = (out: string) => ({
      initial: "one",
      states: {
        one: { on: { [`move ${out}`]: "two" } },
        two: { always: { guard: flagged, target: `#m.${out}` } },
      },
    });
    const p = { type: "parallel", states: { a: region("outA"), b: region("outB") } };
    const states = { p, outA: {}, outB: {} };
    const on = { flag: { actions: assign({ flag: true }) } };
    const stepper = uncheckedStepper({ context: { flag: false }, initial: "p", states, on });
    const events = ["move outB", "move outA", "flag"].map((type) => ({ type }));
    const play = new Played(stepper);
    let { actor } = applied(stepper.start({ key: "any/1", input: undefined, now: 0 }));
    for (const event of events) {
      play.send(event);
      ({ actor } = applied(stepper.apply(actor, event, 0)));
    }
    expect([play.value, actor.snapshot.value]).toEqual(["outA", "outA"]);
  });

  test("7: what is spawned inside an assign is started, and a spawn without id refused", () => {
    const spawn = (options: object) =>
      assign(({ spawn: start }) => ({ ref: start("work" as never, options as never) }));
    const on = {
      named: { actions: spawn({ id: "k", input: 5 }) },
      unnamed: { actions: spawn({}) },
    };
    const dynamic = {
      actions: enqueueActions(({ enqueue }) => enqueue.spawnChild("work" as never)),
    };
    const play = played({ context: {}, on: { ...on, dynamic } }, { actors });
    play.send({ type: "named" });
    expect(play.effects).toEqual([
      { kind: "start-activity", id: "k", generation: 1, source: "work", input: 5 },
    ]);
    expect(play.context).toEqual({ ref: { xstate$$type: 1, id: "k" } });
    expect(thrown(play.try({ type: "unnamed" }))).toBe("spawn-without-id");
    expect(thrown(play.try({ type: "dynamic" }))).toBe("spawn-without-id");
  });

  test("8: an activity's unhandled failure ends the workflow and leaves nothing behind", () => {
    const config = {
      context: {},
      entry: raise({ type: "late" }, { delay: 9, id: "t" }),
      invoke: [
        { id: "w", src: "work" },
        { id: "v", src: "work" },
      ],
    };
    const play = played(config, { actors });
    play.send(...play.failed("w", { name: "Broken", message: "no" }));
    expect(play.effects).toEqual([
      { kind: "stop-activity", id: "v", generation: 3, source: "work" },
      { kind: "disarm", name: "t", generation: 1 },
      { kind: "end", status: "error", error: { name: "Broken", message: "no" } },
    ]);
    expect(play.actor).toMatchObject({ timers: [], children: [] });
    expect(problemsOf({ ...config, entry: [], on: { "*": {} } }, { actors })).toHaveLength(1);
  });

  test("9: whatever throws leaves the actor as it was", () => {
    const fail = (): never => {
      throw new Error("no");
    };
    const on = {
      guard: { guard: fail, actions: [] },
      assign: { actions: assign(fail) },
      ghost: { actions: sendTo("ghost", { type: "x" }) },
      child: { actions: enqueueActions(({ enqueue }) => enqueue.sendParent({ type: "x" })) },
    };
    const play = played({ context: {}, on });
    for (const type of Object.keys(on)) expect(thrown(play.try({ type }))).toMatch(/no|Unable/);
    const broken = uncheckedStepper({ context: fail });
    expect(thrown(broken.start({ key: "any/1", input: 1, now: 0 }))).toBe("no");
  });

  test("10: an endless loop of eventless transitions ends", () => {
    const states = { a: { on: { go: "b" } }, b: { always: "c" }, c: { always: "b" } };
    const play = played({ context: {}, initial: "a", states });
    expect(thrown(play.try({ type: "go" }))).toMatch(/Infinite loop/);
  });

  test("11: what JSON changes is changed at once, and what it loses is refused", () => {
    const keep = { actions: assign({ kept: ({ event }) => (event as { value?: unknown }).value }) };
    const play = played({ context: {}, on: { keep } });
    const kept = (value: unknown): unknown => {
      const result = applied(play.try({ type: "keep", value }));
      return (result.actor.snapshot.context as { kept?: unknown }).kept;
    };
    expect(kept(new Date(0))).toBe("1970-01-01T00:00:00.000Z");
    expect(kept(new TypeError("no"))).toEqual({ name: "TypeError", message: "no" });
    expect(kept(Number.NaN)).toBeNull();
    for (const lost of [new Map(), new Set(), /x/, 5n]) {
      expect(thrown(play.try({ type: "keep", value: lost }))).toBe("not-plain");
    }
    const inline = enqueueActions(({ enqueue }) => enqueue.spawnChild(work, { id: "k" }));
    const other = played({ context: {}, on: { go: { actions: inline } } });
    expect(thrown(other.try({ type: "go" }))).toBe("inline-actor");
  });

  test("12: these tests run XState's production build", () => {
    const actor = createActor(createMachine({}));
    const error = vi.fn<() => void>();
    actor.subscribe({ error });
    actor.start();
    // The development build throws.
    actor.send({ type: "*" });
    expect(error).not.toHaveBeenCalled();
  });

  test("13: unknown initial states and ids used twice are refused at registration", () => {
    expect(problemsOf({ initial: "b", states: { a: {} } })).toHaveLength(1);
    const states = { a: { id: "x" }, b: { id: "x" } };
    expect(problemsOf({ initial: "a", states })).toHaveLength(1);
  });

  test("14: timers and activities survive a restore", () => {
    const states = { a: { after: { 10: "b" }, invoke: { id: "w", src: "work" } }, b: {} };
    const play = played({ context: {}, initial: "a", states }, { actors });
    expect(play.actor).toMatchObject({
      timers: [{ name: "xstate.after.10.m.a", generation: 1, due: 10 }],
      children: [{ id: "w", generation: 2, source: "work", attempt: 1 }],
    });
    expect(play.send(...play.fired("xstate.after.10.m.a")).value).toBe("b");
  });

  test("15: history, shallow and deep, survives a restore", () => {
    const inner = { initial: "x", states: { x: { on: { go: "y" } }, y: {} } };
    const a = {
      initial: "one",
      states: { one: inner, deep: { type: "history", history: "deep" }, flat: { type: "history" } },
    };
    const on = { leave: ".b", deep: ".a.deep", flat: ".a.flat" };
    const play = played({ context: {}, initial: "a", states: { a, b: {} }, on });
    play.send({ type: "go" }).send({ type: "leave" });
    expect(play.value).toBe("b");
    expect(play.send({ type: "deep" }).value).toEqual({ a: { one: "y" } });
    play.send({ type: "leave" });
    expect(play.send({ type: "flat" }).value).toEqual({ a: { one: "x" } });
  });
});
