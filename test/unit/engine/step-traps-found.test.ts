import { describe, expect, test } from "vitest";
import {
  assign,
  cancel,
  enqueueActions,
  forwardTo,
  fromPromise,
  raise,
  sendTo,
  spawnChild,
} from "xstate";
import { problemsOf } from "../../support/problems.ts";
import { applied, Played, thrown, uncheckedStepper } from "../../support/stepping.ts";

const work = fromPromise(async () => 1);
const actors = { work };

function played(config: object, parts: object = {}): Played {
  return new Played(uncheckedStepper(config, parts));
}

describe("the traps of XState that were found by probing", () => {
  test("17: two timers of one name both fire, and are both cancelled", () => {
    const later = (delay: number) => raise({ type: "late" }, { delay, id: "t" });
    const on = {
      two: { actions: [later(10), later(20)] },
      cancel: { actions: cancel("t") },
      late: { actions: assign({ n: ({ context }) => (context as { n: number }).n + 1 }) },
    };
    const play = played({ context: { n: 0 }, on });
    play.send({ type: "two" });
    play.send(...play.fired("t")).send(...play.fired("t"));
    expect(play.context).toEqual({ n: 2 });
    expect(play.actor.timers).toEqual([]);
    play.send({ type: "two" }).send({ type: "cancel" });
    expect(play.effects).toEqual([
      { kind: "disarm", name: "t", generation: 3 },
      { kind: "disarm", name: "t", generation: 4 },
    ]);
  });

  test("18: forwarding to nobody does not loop, and sending to oneself still works", () => {
    const toSelf = enqueueActions(({ enqueue, self }) => enqueue.sendTo(self, { type: "x" }));
    const on = {
      forward: { actions: forwardTo(() => undefined as never) },
      send: { actions: sendTo(() => undefined as never, { type: "x" } as never) },
      self: { actions: [sendTo(({ self }) => self, { type: "x" }), toSelf] },
      internal: { actions: sendTo("#_internal", { type: "x" }) },
    };
    const play = played({ context: {}, on });
    expect(thrown(play.try({ type: "forward" }))).toBe("no-target");
    expect(thrown(play.try({ type: "send" }))).toBe("no-target");
    const sent = { kind: "raise-self", event: { type: "x" } };
    expect(play.send({ type: "self" }).effects).toEqual([sent, sent]);
    expect(play.send({ type: "internal" }).effects).toEqual([sent]);
  });

  test("19: a delayed send to another actor is kept with its target and delivered to that", () => {
    const send = sendTo("k", { type: "x" }, { delay: 10, id: "t" });
    const on = {
      start: { actions: spawnChild("work" as never, { id: "k" }) },
      send: { actions: send },
    };
    const play = played({ context: {}, on }, { actors });
    play.send({ type: "start" }).send({ type: "send" });
    expect(play.actor.timers).toMatchObject([{ name: "t", target: { to: "k", generation: 1 } }]);
    const timer = play.fired("t");
    const delivered = applied(play.try(...timer));
    expect(delivered.effects).toEqual([
      { kind: "send", to: "k", generation: 1, event: { type: "x" } },
    ]);
    expect(delivered.actor).toMatchObject({ version: 4, timers: [] });
    // Another start under the same id is not the one it was meant for.
    play.send({ type: "start" });
    expect(applied(play.try(...timer)).effects).toEqual([]);
  });

  test("20: undefined in the context is gone at once, not only after a restore", () => {
    const guard = ({ context }: { context: object }): boolean => "note" in context;
    const on = { clear: { actions: assign({ note: undefined }) }, ask: { guard, actions: [] } };
    const stepper = uncheckedStepper({ context: { note: "x" }, on });
    const { actor } = applied(stepper.start({ key: "any/1", input: undefined, now: 0 }));
    expect(applied(stepper.apply(actor, { type: "ask" }, 0)).handled).toBe(true);
    const cleared = applied(stepper.apply(actor, { type: "clear" }, 0)).actor;
    expect(applied(stepper.apply(cleared, { type: "ask" }, 0)).handled).toBe(false);
  });

  test("21: a child's result that comes after its state was left is stale", () => {
    const states = { a: { invoke: { id: "w", src: "work", onDone: "c" }, on: { go: "b" } }, b: {} };
    const play = played({ context: {}, initial: "a", states: { ...states, c: {} } }, { actors });
    const result = play.done("w");
    play.send({ type: "go" });
    expect(play.try(...result)).toEqual({ kind: "refused", reason: "stale" });
  });

  test("22: an actor that is named but not implemented is refused at registration and at run time", () => {
    const invoke = { id: "w", src: "nobody" };
    expect(problemsOf({ invoke })).toHaveLength(1);
    const stepper = uncheckedStepper({ context: {}, invoke });
    expect(thrown(stepper.start({ key: "any/1", input: 1, now: 0 }))).toBe("not-implemented");
  });
});
