import { describe, expect, test } from "vitest";
import { createActor, fromCallback, fromPromise, toPromise } from "xstate";
import {
  type ActivityArguments,
  activity,
  activityOptions,
  isPromiseLogic,
  runOf,
} from "../../src/activity.ts";

const args: ActivityArguments<never> = {
  input: 4 as never,
  signal: AbortSignal.abort(),
  heartbeat() {},
  idempotencyKey: "w/i/a/1",
  attempt: 2,
  instance: "w/i",
};

describe("activity", () => {
  test("fills in its policy", () => {
    expect(activityOptions(activity({ run: () => 1 }))).toEqual({
      local: true,
      retry: {
        maxAttempts: 10,
        initialMs: 1_000,
        factor: 2,
        maxMs: 60_000,
        jitter: 0.2,
        nonRetryable: [],
      },
      startToCloseMs: 60_000,
      scheduleToCloseMs: undefined,
      heartbeatMs: undefined,
    });
  });

  test("keeps the policy that it is given, in milliseconds", () => {
    const logic = activity({
      local: false,
      retry: {
        maxAttempts: 3,
        initial: "250ms",
        factor: 1,
        max: "1m",
        jitter: 0,
        nonRetryable: ["E"],
      },
      startToClose: "5s",
      scheduleToClose: "1h",
      heartbeat: 500,
    });
    expect(activityOptions(logic)).toEqual({
      local: false,
      retry: {
        maxAttempts: 3,
        initialMs: 250,
        factor: 1,
        maxMs: 60_000,
        jitter: 0,
        nonRetryable: ["E"],
      },
      startToCloseMs: 5_000,
      scheduleToCloseMs: 3_600_000,
      heartbeatMs: 500,
    });
  });

  test("hands out its code, which gets what the engine gives", async () => {
    const logic = activity({
      run: ({ input, attempt, idempotencyKey }: ActivityArguments<number>) =>
        `${input * 2} ${attempt} ${idempotencyKey}`,
    });
    expect(await runOf(logic)?.(args)).toBe("8 2 w/i/a/1");
  });

  test("also runs under XState itself", async () => {
    const logic = activity({ run: ({ input }: ActivityArguments<number>) => input * 2 });
    expect(await toPromise(createActor(logic, { input: 4 }).start())).toBe(8);
    const elsewhere = createActor(activity({ local: false })).start();
    await expect(toPromise(elsewhere)).rejects.toMatchObject({ code: "no-run" });
  });

  test.each([
    ["a local one without code", {}],
    ["no attempts", { local: false, retry: { maxAttempts: 0 } }],
    ["waits that shrink", { local: false, retry: { factor: 0.5 } }],
    ["chance beyond one", { local: false, retry: { jitter: 1.5 } }],
    ["no time for an attempt", { local: false, startToClose: 0 }],
    ["no time in all", { local: false, scheduleToClose: 0 }],
    ["no time between heartbeats", { local: false, heartbeat: 0 }],
  ])("refuses %s", (_name, definition) => {
    expect(() => activity(definition)).toThrow(
      expect.objectContaining({ code: "invalid-activity", problems: [expect.any(String)] }),
    );
  });
});

describe("plain promise logic", () => {
  test("is a local activity with every default", async () => {
    const logic = fromPromise(async ({ input }: { input: number }) => input + 1);
    expect(activityOptions(logic)).toEqual(activityOptions(activity({ run: () => 1 })));
    expect(await runOf(logic)?.(args)).toBe(5);
  });

  test("is told from other logic by what it does", () => {
    expect(isPromiseLogic(fromPromise(async () => 1))).toBe(true);
    expect(isPromiseLogic(activity({ local: false }))).toBe(true);
    expect(isPromiseLogic(fromCallback(() => {}))).toBe(false);
    expect(isPromiseLogic({ transition: () => ({ status: "done" }) })).toBe(false);
    expect(isPromiseLogic(undefined)).toBe(false);
  });
});
