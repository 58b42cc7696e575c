import { assert, double, property } from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bucketFor,
  localMs,
  planOf,
  withPlan,
} from "../../../../transports/rabbitmq/delay-plan.ts";
import { firstSeed } from "../../../support/fuzz-budget.ts";

describe("the delay queue for a delay", () => {
  test("never holds a message too long, and holds it for most of its time", () => {
    assert(
      property(double({ min: 16, max: 2 ** 26, noNaN: true }), (delayMs) => {
        const bucketMs = bucketFor(delayMs) ?? 0;
        expect(Number.isInteger(bucketMs)).toBe(true);
        expect(bucketMs).toBeLessThanOrEqual(delayMs);
        expect(bucketMs).toBeGreaterThanOrEqual((delayMs - 1) * 0.8);
      }),
      { seed: firstSeed },
    );
  });

  test("is one of few", () => {
    const buckets = new Set<number | undefined>();
    for (let delayMs = 16; delayMs < 2 ** 27; delayMs *= 1.01) buckets.add(bucketFor(delayMs));
    expect(buckets.size).toBe(89);
  });

  test("is none for what the process waits for itself, and the longest for what is longer", () => {
    expect(bucketFor(localMs)).toBeUndefined();
    expect(bucketFor(90 * 86_400_000)).toBe(2 ** 26);
  });
});

describe("the plan of a delayed message", () => {
  const plan = { exchange: "x", routingKey: "q", restMs: 7, sender: "me", due: 1.5 };

  test("travels with the message and leaves no trace on it", () => {
    for (const message of [{ body: "1" }, { body: "2", headers: { traceparent: "00" } }]) {
      expect(planOf(withPlan(message, plan))).toEqual({ plan, message });
    }
  });

  test.each(["", "null", "[]", "{", '{"exchange":1}', JSON.stringify({ ...plan, due: "soon" })])(
    "is none when the header holds %s",
    (text) => {
      expect(planOf({ body: "", headers: { "x-waybill-delay": text } })).toBeUndefined();
    },
  );
});
