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
