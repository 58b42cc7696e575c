import { beforeEach, describe, expect, it } from "vitest";
import { StoreClock } from "../../../src/engine/store-clock.ts";
import { WakeUp } from "../../../src/engine/wake-up.ts";
import type { Outgoing, Transport } from "../../../src/transport.ts";
import { HandClock } from "../../support/hand-clock.ts";

let clock: HandClock;
let wakeUp: WakeUp;
let woken: number[];
let published: Outgoing[];

beforeEach(() => {
  clock = new HandClock(0);
  woken = [];
  published = [];
  const storeClock = new StoreClock(clock);
  storeClock.learn(0, 0);
  const publish = async (batch: readonly Outgoing[]) => {
    published.push(...batch);
    return [];
  };
  wakeUp = new WakeUp({
    clock,
    storeClock,
    transport: { publish } as unknown as Transport,
    queue: "q",
    wake: () => woken.push(clock.monotonic()),
  });
});

describe("a wake-up", () => {
  it("for a moment that is near is timed here, and comes at the first tick that is not before it", async () => {
    wakeUp.arm(12);
    await clock.pass(100);
    expect(woken).toEqual([20]);
    expect(published).toEqual([]);
  });

  it("for a later moment goes through the broker's delay, which ends a little before it", async () => {
    wakeUp.arm(5_005);
    expect(published).toMatchObject([{ routingKey: "q", delayMs: 4_000 }]);
    await clock.pass(4_000);
    wakeUp.arrived(5_005);
    await clock.pass(2_000);
    expect(woken).toEqual([5_020]);
  });

  it("is armed anew for an earlier moment and not for a later one", () => {
    wakeUp.arm(5_000);
    wakeUp.arm(9_000);
    wakeUp.arm(3_000);
    const sent = published.map(({ message }) => message.body);
    expect(sent).toEqual(['{"due":5000}', '{"due":3000}']);
  });

  it("is sent once however often the store is looked into meanwhile", () => {
    for (let look = 0; look < 10; look += 1) {
      wakeUp.reset();
      wakeUp.arm(60_000);
    }
    expect(published).toHaveLength(1);
  });

  it("is sent again when the one before has arrived and the timer is still not due", () => {
    wakeUp.arm(60_000);
    wakeUp.arrived(60_000);
    wakeUp.reset();
    wakeUp.arm(60_000);
    expect(published).toHaveLength(2);
  });

  it("that arrives for a moment which is no longer the next one does nothing", async () => {
    wakeUp.arm(5_000);
    wakeUp.arm(3_000);
    wakeUp.arrived(5_000);
    await clock.pass(10_000);
    expect(woken).toEqual([]);
  });

  it("is not sent for a lease that nobody has taken, which is due at the end of time", () => {
    wakeUp.arm(8.64e15);
    expect(published).toEqual([]);
    wakeUp.arm(5_000);
    expect(published).toHaveLength(1);
  });
});
