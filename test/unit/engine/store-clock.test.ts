import { describe, expect, it } from "vitest";
import { StoreClock } from "../../../src/engine/store-clock.ts";
import { HandClock } from "../../support/hand-clock.ts";

describe("what is known of the store's clock", () => {
  it("encloses its true time, whenever between question and answer it was read", async () => {
    const clock = new HandClock(5_000);
    const storeClock = new StoreClock(clock);
    const sentAt = clock.monotonic();
    await clock.pass(80);
    // The store read 1_000_000 at some moment of those 80 ms.
    storeClock.learn(sentAt, 1_000_000);
    await clock.pass(20);
    expect(storeClock.earliest()).toBe(1_000_020);
    expect(storeClock.latest()).toBe(1_000_100);
  });

  it("is a whole number of milliseconds on the safe side", () => {
    const clock = new HandClock(0.25);
    const storeClock = new StoreClock(clock);
    storeClock.learn(0, 1_000.5);
    expect(storeClock.earliest()).toBe(1_000);
    expect(storeClock.latest()).toBe(1_001);
  });
});

describe("a jump of the store's clock", () => {
  function watched() {
    const clock = new HandClock(5_000);
    const jumps: number[] = [];
    const storeClock = new StoreClock(clock, (byMs) => jumps.push(byMs));
    const hear = (ahead: number) => storeClock.learn(clock.monotonic(), clock.monotonic() + ahead);
    return { clock, jumps, storeClock, hear };
  }

  it("is what this process's clock does not explain, forward and backward", async () => {
    const { clock, jumps, storeClock, hear } = watched();
    hear(0);
    await clock.pass(30_000);
    hear(0);
    hear(999);
    hear(0);
    expect([jumps, storeClock.lastJump]).toEqual([[], undefined]);
    hear(172_800_000);
    hear(0);
    await clock.pass(7_000);
    expect(jumps).toEqual([172_800_000, -172_800_000]);
    expect(storeClock.lastJump).toEqual({ byMs: -172_800_000, agoMs: 7_000 });
  });

  it("is not taken from an answer that took long", async () => {
    const { clock, jumps, storeClock, hear } = watched();
    hear(0);
    const sentAt = clock.monotonic();
    await clock.pass(60_000);
    storeClock.learn(sentAt, sentAt + 10);
    hear(0);
    expect(jumps).toEqual([]);
  });

  it("leaves a skew against this process's wall clock, as far as it is certain", async () => {
    const { clock, storeClock, hear } = watched();
    expect(storeClock.skewMs()).toBe(0);
    hear(9_000);
    expect(storeClock.skewMs()).toBe(9_000);
    hear(-4_000);
    expect(storeClock.skewMs()).toBe(-4_000);
    const sentAt = clock.monotonic();
    await clock.pass(500);
    storeClock.learn(sentAt, sentAt + 9_200);
    expect(storeClock.skewMs()).toBe(8_700);
  });
});
