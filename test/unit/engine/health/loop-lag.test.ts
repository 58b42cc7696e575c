import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import { LoopLag } from "../../../../src/engine/health/loop-lag.ts";
import type { Observation } from "../../../../src/observer.ts";
import { HandClock } from "../../../support/hand-clock.ts";

/** A clock whose timers come late by what was lost. */
class LossyClock extends HandClock {
  lostMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.lostMs;
  }
}

let clock: LossyClock;
let told: Observation[];
let lag: LoopLag;
beforeEach(() => {
  clock = new LossyClock();
  told = [];
  lag = new LoopLag({ clock, observer: { observe: (one) => told.push(one) }, blockedMs: 1_000 });
  lag.start();
});
afterEach(() => lag.stop());

test("A loop that runs has no lag", async () => {
  await clock.pass(60_000);
  expect([lag.lagMs, lag.blocked, told]).toEqual([0, undefined, []]);
});

test("The longest delay is known for 15 to 30 seconds", async () => {
  clock.lostMs += 80;
  await clock.pass(14_000);
  expect(lag.lagMs).toBe(80);
  await clock.pass(60_000);
  expect(lag.lagMs).toBe(0);
});

test("A delay beyond the limit is told once, and how long ago it was", async () => {
  clock.lostMs += 999;
  await clock.pass(500);
  expect(told).toEqual([]);
  clock.lostMs += 2_500;
  await clock.pass(500);
  await clock.pass(4_000);
  expect(told).toMatchObject([{ kind: "loop-blocked", durationMs: 2_500 }]);
  expect(lag.blocked).toEqual({ durationMs: 2_500, agoMs: 4_000 });
});

test("Nothing is measured after the stop", async () => {
  lag.stop();
  clock.lostMs += 5_000;
  await clock.pass(5_000);
  expect([told, clock.pending]).toEqual([[], 0]);
});

test("Code that computes for long blocks a real loop", async () => {
  const seen: Observation[] = [];
  const observer = { observe: (one: Observation) => void seen.push(one) };
  const real = new LoopLag({ clock: systemClock, observer, blockedMs: 200 });
  real.start();
  try {
    const until = systemClock.monotonic() + 900;
    while (systemClock.monotonic() < until);
    await expect.poll(() => seen, { timeout: 20_000 }).not.toEqual([]);
    expect(real.lagMs).toBeGreaterThan(200);
  } finally {
    real.stop();
  }
});
