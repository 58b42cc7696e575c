import { beforeEach, describe, expect, it } from "vitest";
import type { WatchArrival } from "../../../src/engine/arrival.ts";
import { Watchers } from "../../../src/engine/watchers.ts";
import { HandClock } from "../../support/hand-clock.ts";

let clock: HandClock;
let watchers: Watchers;

beforeEach(() => {
  clock = new HandClock();
  watchers = new Watchers(clock);
});

const watch = (until: WatchArrival["until"]): WatchArrival => ({
  kind: "watch",
  receipt: {},
  key: "order/1",
  trace: {},
  until,
});

describe("watchers", () => {
  it("are taken out once they have what they wait for, and no others", () => {
    const [done, paid] = [watch("done"), watch("state:paid")];
    watchers.add(done);
    watchers.add(paid);
    expect(watchers.take("order/2", () => true)).toEqual([]);
    expect(watchers.take("order/1", ({ until }) => until === "state:paid")).toEqual([paid]);
    expect(watchers.take("order/1", () => true)).toEqual([done]);
    expect(watchers.take("order/1", () => true)).toEqual([]);
  });

  it("are forgotten after half a minute", async () => {
    watchers.add(watch("done"));
    await clock.pass(20_000);
    const later = watch("done");
    watchers.add(later);
    await clock.pass(10_000);
    watchers.sweep();
    expect(watchers.take("order/1", () => true)).toEqual([later]);
  });
});
