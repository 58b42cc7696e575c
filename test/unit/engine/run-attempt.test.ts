import { describe, expect, it } from "vitest";
import type { ActivityRun } from "../../../src/activity.ts";
import { LazyAbortController } from "../../../src/engine/activities/lazy-abort-controller.ts";
import { type AttemptLimits, runAttempt } from "../../../src/engine/activities/run-attempt.ts";
import { silentTracer } from "../../../src/tracer.ts";
import { HandClock, settled } from "../../support/hand-clock.ts";

const task = {
  key: "order/1",
  activity: "pay",
  generation: 3,
  source: "charge",
  definition: "1",
  attempt: 2,
  input: { cents: 5 },
};

function begin(run: ActivityRun, limits: AttemptLimits = { startToCloseMs: 1_000 }) {
  const clock = new HandClock();
  const controller = new LazyAbortController();
  let beats = 0;
  const heartbeat = () => {
    beats += 1;
  };
  const span = silentTracer.begin({
    kind: "internal",
    name: "",
    parent: {},
    details: () => ({ attributes: {} }),
  });
  const outcome = runAttempt({ run, task, controller, clock, limits, span, heartbeat });
  return { clock, outcome, signal: controller.signal, beats: () => beats };
}

const forEver: ActivityRun = () => new Promise(() => {});

describe("one attempt of an activity", () => {
  it("gets what it needs to know and gives its result through JSON", async () => {
    const { outcome, clock } = begin(({ input, attempt, instance, idempotencyKey }) => ({
      given: [input, attempt, instance, idempotencyKey],
      at: new Date(0),
      gone: undefined,
    }));
    expect(await outcome).toEqual({
      kind: "done",
      output: {
        given: [{ cents: 5 }, 2, "order/1", "order/1/pay/3"],
        at: "1970-01-01T00:00:00.000Z",
      },
    });
    expect(clock.pending).toBe(0);
  });

  it("fails with what was thrown as data, even when JSON cannot hold all of it", async () => {
    const tangled: Record<string, unknown> = { code: "declined" };
    tangled["self"] = tangled;
    const thrown = (value: unknown) =>
      begin(() => {
        throw value;
      }).outcome;
    expect(await thrown(Object.assign(new TypeError("no"), { status: 5 }))).toEqual({
      kind: "error",
      error: { name: "TypeError", message: "no", status: 5 },
    });
    expect(await thrown(Object.assign(new Error("no"), { tangled }))).toEqual({
      kind: "error",
      error: { name: "Error", message: "no" },
    });
    expect(await thrown("just so")).toEqual({
      kind: "error",
      error: { name: "Error", message: "just so" },
    });
    expect(await thrown(undefined)).toMatchObject({ error: { message: "undefined" } });
    expect(await thrown(tangled)).toMatchObject({ error: { name: "Error" } });
  });

  it("fails when its result cannot be JSON", async () => {
    expect(await begin(() => ({ big: 5n })).outcome).toMatchObject({
      kind: "error",
      error: { name: "TypeError" },
    });
  });

  it("is aborted and fails when it takes too long", async () => {
    const { clock, outcome, signal } = begin(forEver, { startToCloseMs: 200 });
    await clock.pass(199);
    expect(signal.aborted).toBe(false);
    await clock.pass(1);
    expect(signal.aborted).toBe(true);
    expect(await outcome).toMatchObject({ kind: "error", error: { name: "TimeoutError" } });
  });

  it("is aborted and fails when its heartbeat stops, and lives while it goes on", async () => {
    let heartbeat = (): void => {};
    const limits = { startToCloseMs: 10_000, heartbeatMs: 100 };
    const { clock, outcome, signal, beats } = begin((args) => {
      heartbeat = () => args.heartbeat();
      return forEver(args);
    }, limits);
    for (let beat = 0; beat < 5; beat += 1) {
      await clock.pass(90);
      heartbeat();
    }
    expect(signal.aborted).toBe(false);
    expect(beats()).toBe(5);
    await clock.pass(100);
    expect(await outcome).toMatchObject({ error: { message: "no heartbeat for 100 ms" } });
    expect(signal.aborted).toBe(true);
  });

  it("leaves no timer behind, also when the code sends a heartbeat after its end", async () => {
    let heartbeat = (): void => {};
    const { clock, outcome, signal } = begin(
      (args) => {
        heartbeat = () => args.heartbeat();
        return "ok";
      },
      { startToCloseMs: 500, heartbeatMs: 100 },
    );
    await outcome;
    heartbeat();
    await clock.pass(1_000);
    await settled();
    expect(signal.aborted).toBe(false);
    expect(clock.pending).toBe(0);
  });
});
