import { describe, expect, it } from "vitest";
import {
  deadlineTimer,
  leaseTimer,
  parseEngineTimer,
  parseTimerId,
  retryTimer,
  timerId,
} from "../../../src/engine/timer-id.ts";

describe("the id of a timer", () => {
  it.each(["xstate.after.5.order.paid", "a#b#1", "", "line\nbreak", "~lease:1:job"])(
    "gives its parts back for the name %j",
    (name) => {
      const timer = { key: "order/A-1", generation: 12, name };
      expect(parseTimerId(timerId(timer))).toEqual(timer);
    },
  );

  it.each(["", "order/1", "order/1#x#name", "#1#name"])("is none for %j", (text) => {
    expect(parseTimerId(text)).toBeUndefined();
  });
});

describe("a timer of the engine", () => {
  it("tells what it is about, also for an activity with a colon in its id", () => {
    expect(parseEngineTimer(leaseTimer("a:b", 3))).toEqual({
      kind: "lease",
      attempt: 3,
      activity: "a:b",
    });
    expect(parseEngineTimer(retryTimer("job", 2))).toEqual({
      kind: "retry",
      attempt: 2,
      activity: "job",
    });
    expect(parseEngineTimer(deadlineTimer("job"))).toEqual({
      kind: "deadline",
      attempt: 0,
      activity: "job",
    });
  });

  it.each(["xstate.after.5.order", "~limbo", "~held", "~other:1:job"])("is not %s", (name) => {
    expect(parseEngineTimer(name)).toBeUndefined();
  });
});
