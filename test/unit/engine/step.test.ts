import { describe, expect, test, vi } from "vitest";
import { assign, createMachine, emit, fromPromise, log, raise, sendParent, sendTo } from "xstate";
import { withAttempt } from "../../../src/engine/statechart/actor.ts";
import { Stepper } from "../../../src/engine/step.ts";
import { order, orderInput } from "../../support/order-machine.ts";
import { applied, Played, restored, uncheckedStepper } from "../../support/stepping.ts";

const work = fromPromise(async () => 1);
const actors = { work };
const orders = new Stepper(order);

function play(config: object, parts: object = {}): Played {
  return new Played(uncheckedStepper({ context: {}, ...config }, parts));
}

describe("start", () => {
  test("gives version 1 and asks for what the entry wants, in order", () => {
    const started = applied(orders.start({ key: "order/o1", input: orderInput, now: 1_000 }));
    const name = "xstate.after.payWithin.order.awaitingPayment";
    const due = 901_000;
    expect(started.actor).toMatchObject({ key: "order/o1", version: 1, generations: 1 });
    expect(started.effects).toEqual([
      { kind: "emit", event: { type: "order.placed", orderId: "o1" } },
      { kind: "arm", name, generation: 1, delayMs: 900_000, due, event: { type: name } },
    ]);
  });
});

describe("apply", () => {
  test("adds 1 to the version of an event that was handled, even if it changed nothing", () => {
    const played = play({ on: { go: { actions: [] }, same: {} } });
    const result = applied(played.try({ type: "same" }));
    expect(result).toMatchObject({ handled: true, changed: false, actor: { version: 2 } });
  });

  test("gives the same actor back when no transition was selected", () => {
    const played = play({ on: { go: { guard: () => false } } });
    for (const type of ["go", "unknown"]) {
      const result = applied(played.try({ type }));
      expect(result).toMatchObject({ handled: false, changed: false, effects: [] });
      expect(result.actor).toBe(played.actor);
    }
  });

  test("uses up a timer even when no transition wants it", () => {
    const states = { a: { after: { 5: { guard: () => false, target: "b" } } }, b: {} };
    const played = play({ initial: "a", states });
    const result = applied(played.try(...played.fired("xstate.after.5.m.a")));
    expect(result).toMatchObject({ handled: false, changed: true });
    expect(result.actor).toMatchObject({ version: 2, timers: [] });
  });

  test("refuses types that only the engine may send, unless their origin is right", () => {
    const played = play({ invoke: { id: "w", src: "work" }, after: { 5: {} } }, { actors });
    const reserved = { kind: "refused", reason: "reserved" };
    const [done, child] = played.done("w");
    expect(played.try(done)).toEqual(reserved);
    expect(played.try({ type: "xstate.stop" })).toEqual(reserved);
    expect(played.try({ type: "xstate.done.actor.v" }, child)).toEqual(reserved);
    const [, timer] = played.fired("xstate.after.5.m");
    expect(played.try(done, timer)).toEqual(reserved);
  });

  test("takes ordinary events of a child, but none of one that has ended", () => {
    const on = { news: { actions: emit({ type: "heard" }) } };
    const config = { on, invoke: { id: "w", src: "work", onDone: { actions: [] } } };
    const played = play(config, { actors });
    const [, origin] = played.done("w");
    expect(played.send({ type: "news" }, origin).effects).toHaveLength(1);
    played.send(...played.done("w"));
    expect(played.actor.children).toMatchObject([{ id: "w", ended: true }]);
    expect(played.try({ type: "news" }, origin)).toMatchObject({ reason: "stale" });
    expect(played.try(...played.done("w"))).toMatchObject({ reason: "stale" });
  });

  test("says which transitions it took", () => {
    const guard = { type: "open" };
    const states = { a: { on: { go: { guard, target: "b" } } }, b: { always: "c" }, c: {} };
    const played = play({ initial: "a", states }, { guards: { open: () => true } });
    expect(applied(played.try({ type: "go" })).microsteps).toEqual([
      { event: "go", from: ["m.a"], to: ["m.b"], guards: ["open"] },
      { event: "go", from: ["m.b"], to: ["m.c"], guards: [] },
    ]);
  });

  test("leaves no trace of timers and children that come and go within the step", () => {
    const b = { after: { 5: "a" }, invoke: { id: "w", src: "work" }, always: "c" };
    const states = { a: { on: { go: "b" } }, b, c: {} };
    const played = play({ initial: "a", states }, { actors });
    expect(played.send({ type: "go" }).effects).toEqual([]);
  });

  test("starts a child before it sends to it, and stops it after", () => {
    const a = {
      on: { go: "b" },
      invoke: { id: "w", src: "work", input: { n: 1 } },
      entry: sendTo("w", { type: "hello" }),
      exit: sendTo("w", { type: "bye" }),
    };
    const played = play({ initial: "a", states: { a, b: {} } }, { actors });
    const w = { id: "w", generation: 1, source: "work" };
    expect(played.effects).toEqual([
      { kind: "start-activity", ...w, input: { n: 1 } },
      { kind: "send", to: "w", generation: 1, event: { type: "hello" } },
    ]);
    expect(played.send({ type: "go" }).effects).toEqual([
      { kind: "send", to: "w", generation: 1, event: { type: "bye" } },
      { kind: "stop-activity", ...w },
    ]);
  });

  test("runs a named action only when told to, with the context of its moment", () => {
    const audit = vi.fn<(args: { context: unknown }, params: unknown) => void>();
    const add = assign({ n: ({ context }) => (context as { n: number }).n + 1 });
    const actions = [add, { type: "audit", params: { what: "x" } }, add, log("said", "label")];
    const stepper = uncheckedStepper(
      { context: { n: 0 }, on: { go: { actions } } },
      { actions: { audit } },
    );
    const [action, entry] = new Played(stepper).send({ type: "go" }).effects;
    expect(entry).toEqual({ kind: "log", label: "label", value: "said" });
    expect(action).toMatchObject({ kind: "action", type: "audit", params: { what: "x" } });
    expect(audit).not.toHaveBeenCalled();
    if (action?.kind === "action") action.run();
    expect(audit.mock.calls[0]?.[0]).toMatchObject({ context: { n: 1 }, event: { type: "go" } });
  });

  test("ends with the output, after everything that was still running", () => {
    const states = { a: { on: { go: "z" }, after: { 5: "z" } }, z: { type: "final" } };
    const config = { initial: "a", states, invoke: { id: "w", src: "work" }, output: { ok: true } };
    const played = play(config, { actors });
    expect(played.send({ type: "go" }).effects.map(({ kind }) => kind)).toEqual([
      "disarm",
      "stop-activity",
      "end",
    ]);
    expect(played.effects.at(-1)).toEqual({ kind: "end", status: "done", output: { ok: true } });
    expect(played.actor).toMatchObject({ timers: [], children: [] });
  });

  test("makes a child workflow of a machine, which sends to its parent", () => {
    const child = createMachine({ entry: sendParent({ type: "born" }) });
    const played = play({ invoke: { id: "c", src: "child" } }, { actors: { child } });
    expect(played.effects).toMatchObject([{ kind: "start-child", id: "c", source: "child" }]);
    const parent = { key: "any/1", childId: "c", generation: 1 };
    const stepper = uncheckedStepper({ entry: sendParent({ type: "born" }) });
    const born = applied(stepper.start({ key: "any/1/c", input: undefined, now: 0, parent }));
    expect(born.effects).toEqual([{ kind: "send", to: "#parent", event: { type: "born" } }]);
    expect(restored(stepper, born.actor).parent).toEqual(parent);
  });
});

test("stop ends an actor and takes everything of it back, once", () => {
  const entry = raise({ type: "late" }, { delay: 9, id: "t" });
  const played = play({ entry, invoke: { id: "w", src: "work" } }, { actors });
  const { actor, effects } = applied(played.stepper.stop(played.actor));
  expect(effects.map(({ kind }) => kind)).toEqual(["disarm", "stop-activity", "end"]);
  expect(played.stepper.view(actor).status).toBe("stopped");
  expect(played.stepper.stop(actor)).toEqual({ kind: "refused", reason: "ended" });
});

test("accepts names the events that the active states react to", () => {
  const { actor } = applied(orders.start({ key: "order/o1", input: orderInput, now: 0 }));
  expect(orders.accepts(actor)).toEqual([
    "order.cancelled",
    "payment.authorized",
    "payment.declined",
  ]);
  const said = { actions: emit({ type: "said" }) };
  const hidden = { a: { on: { no: {}, yes: said } } };
  const around = { no: said, other: said, nothing: {} };
  const played = play({ initial: "a", states: hidden, on: around });
  expect(played.stepper.accepts(played.actor)).toEqual(["other", "yes"]);
});

test("view shows tags in order, and what came out", () => {
  const played = play({ initial: "a", states: { a: { tags: ["z", "b"] } } });
  expect(played.stepper.view(played.actor)).toEqual({
    value: "a",
    tags: ["b", "z"],
    status: "active",
    context: {},
    output: undefined,
    error: undefined,
  });
});

test("withAttempt counts the attempts of one child in a new actor", () => {
  const played = play({ invoke: { id: "w", src: "work" } }, { actors });
  const second = withAttempt(played.actor, "w", 2);
  expect(restored(played.stepper, second).children).toMatchObject([{ id: "w", attempt: 2 }]);
  expect(played.actor.children).toMatchObject([{ attempt: 1 }]);
});

describe("unpack for a machine that has changed", () => {
  const base = { a: { on: { go: "b" } }, b: {} };

  function unpack(states: object, initial = "a"): unknown {
    const old = new Played(uncheckedStepper({ context: {}, initial: "a", states: base }));
    const changed = uncheckedStepper({ context: {}, initial, states }, { actors });
    return changed.unpack(old.stepper.pack(old.actor)).snapshot.value;
  }

  test("takes an actor whose own states are as they were", () => {
    expect(unpack({ ...base, b: { on: { back: "a" } } })).toBe("a");
  });

  test.each<[string, object, string]>([
    ["is gone", { b: {} }, "b"],
    ["has states of its own now", { ...base, a: { initial: "x", states: { x: {} } } }, "a"],
    ["has a timer now", { ...base, a: { ...base.a, after: { 5: "b" } } }, "a"],
    ["invokes something now", { ...base, a: { ...base.a, invoke: { id: "w", src: "work" } } }, "a"],
  ])("refuses one whose state %s", (_name, states, initial) => {
    expect(() => unpack(states, initial)).toThrow(
      expect.objectContaining({ code: "migration-needed" }),
    );
  });
});

test("fingerprints differ with the structure, and with nothing else", () => {
  const make = (config: object): string => uncheckedStepper(config).fingerprint;
  const states = { a: { on: { go: "b" } }, b: {} };
  const base = make({ initial: "a", states });
  expect(make({ initial: "a", states, context: { n: 1 } })).toBe(base);
  expect(make({ initial: "b", states })).not.toBe(base);
  expect(make({ initial: "a", states: { ...states, c: {} } })).not.toBe(base);
});

test("an empty history is not the same as none, and stays what it is", () => {
  const states = { a: {}, h: { type: "history" } };
  const { stepper, actor } = play({ initial: "a", states });
  const record = { ...stepper.pack(actor), history: { "m.h": [] } };
  expect(stepper.pack(stepper.unpack(record)).history).toEqual({ "m.h": [] });
});
