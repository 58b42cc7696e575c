import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode } from "../../../src/engine/decode.ts";
import { Registry } from "../../../src/engine/registry.ts";
import { parseTimerId, timerId } from "../../../src/engine/timer-id.ts";
import { parseEffectId } from "../../../src/engine/wire.ts";
import { firstSeed } from "../../support/fuzz-budget.ts";
import { order } from "../../support/plain-order.ts";

const registry = new Registry([order]);

const types = fc.oneof(
  fc.string(),
  fc.constantFrom("order.paid", "order.placed", "waybill.start", "waybill.control", "xstate.init"),
);
const bodies = fc.oneof(
  fc.string(),
  fc.json(),
  fc.constantFrom("", "null", "[]", '{"id":1}', '{"__proto__":{"x":1}}', "[".repeat(20_000)),
);
const names = fc.constantFrom("x-waybill-instance", "x-waybill-until", "traceparent", "__proto__");
const optional = { requiredKeys: ["body"] as ["body"] };
const messages = fc.record(
  {
    id: fc.string(),
    type: types,
    body: bodies,
    correlationId: fc.oneof(fc.string(), fc.constant("order/1/2/3")),
    replyTo: fc.string(),
    timestamp: fc.double(),
    userId: fc.string(),
    headers: fc.dictionary(names, fc.oneof(fc.string(), fc.constant("order/1"))),
  },
  optional,
);

describe("any message of an outsider", () => {
  it("is understood or unfit, and never trusted, thrown at or left without a word", () => {
    fc.assert(
      fc.property(messages, fc.nat(9), (message, redeliveries) => {
        const delivery = { message: { ...message, userId: "outsider" }, tag: 1, redeliveries };
        const arrival = decode(delivery, {
          registry,
          trustedUser: "waybill",
          limits: { bodyBytes: 10_000 },
          isOurs: () => true,
        });
        // Whatever it claims, it is for an instance of that name, known or not, or is set aside with a reason.
        expect(["start", "event", "unfit"]).toContain(arrival.kind);
        const says =
          arrival.kind === "unfit" ? /./s : /^[A-Za-z0-9._-]{1,64}\/[A-Za-z0-9._:-]{1,128}$/;
        expect(arrival.kind === "unfit" ? arrival.detail : arrival.key).toMatch(says);
      }),
      { numRuns: 2_000, seed: firstSeed },
    );
  });
});

describe("names that travel", () => {
  it("are read back as they were written, or not at all", () => {
    const keys = fc.stringMatching(/^[A-Za-z0-9._-]{1,20}\/[A-Za-z0-9._:-]{1,40}$/);
    fc.assert(
      fc.property(keys, fc.nat(), fc.string(), (key, generation, name) => {
        expect(parseTimerId(timerId({ key, generation, name }))).toEqual({ key, generation, name });
      }),
      { seed: firstSeed },
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const found = parseEffectId(text);
        expect(found === undefined ? text : `${found.key}/${found.effect}`).toBe(text);
      }),
      { seed: firstSeed },
    );
  });
});
