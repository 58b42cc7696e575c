import type { ConsumeMessage } from "amqplib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decode } from "../../src/engine/decode.ts";
import { Registry } from "../../src/engine/registry.ts";
import type { Message } from "../../src/message.ts";
import {
  fitsAmqp,
  messageFrom,
  propertiesOf,
  redeliveriesOf,
} from "../../transports/rabbitmq/envelope.ts";
import { firstSeed, runs } from "../support/fuzz-budget.ts";
import { anyText } from "../support/hostile.ts";
import { keeper } from "../support/keeper.ts";

/** A short string of AMQP as the client hands it out: up to 255 bytes, read as UTF-8 whatever they are. */
const shortText = fc.oneof(
  fc.uint8Array({ maxLength: 255 }).map((bytes) => Buffer.from(bytes).toString("utf8")),
  anyText.filter((text) => Buffer.byteLength(text) <= 255),
  fc.constantFrom("keeper/one", "keep", "waybill.start", Buffer.alloc(255, 0xff).toString("utf8")),
);

/** Everything that the client makes of the field types of AMQP 0-9-1, RabbitMQ's own among them. */
const field: fc.Arbitrary<unknown> = fc.letrec<{ one: unknown }>((tie) => ({
  one: fc.oneof(
    { maxDepth: 3 },
    shortText,
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
    fc.record({ "!": fc.constant("timestamp"), value: fc.maxSafeNat() }),
    fc.record({
      "!": fc.constant("decimal"),
      value: fc.record({ places: fc.nat(255), digits: fc.nat() }),
    }),
    fc.date(),
    fc.array(tie("one"), { maxLength: 3 }),
    fc.dictionary(shortText, tie("one"), { maxKeys: 3 }),
  ),
})).one;

const names = fc.constantFrom(
  "x-waybill-instance",
  "x-waybill-ms",
  "x-waybill-outsider",
  "x-waybill-if-version",
  "x-death",
  "x-first-death-queue",
  "x-delivery-count",
  "x-acquired-count",
  "traceparent",
  "tracestate",
  "baggage",
  "__proto__",
  "constructor",
);
const headers = fc
  .array(fc.tuple(fc.oneof(names, shortText), field), { maxLength: 5 })
  .map((entries) => Object.fromEntries(entries));
const received = fc.record({
  content: fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((json) => Buffer.from(json)),
  ),
  fields: fc.record({
    exchange: fc.oneof(shortText, fc.constantFrom("", "waybill.inbound", "waybill.events")),
    routingKey: shortText,
    redelivered: fc.boolean(),
    deliveryTag: fc.nat(),
    consumerTag: shortText,
  }),
  properties: fc.record(
    {
      messageId: fc.oneof({ weight: 3, arbitrary: shortText }, field),
      type: fc.oneof({ weight: 3, arbitrary: shortText }, field),
      correlationId: fc.oneof({ weight: 3, arbitrary: shortText }, field),
      replyTo: fc.oneof({ weight: 3, arbitrary: shortText }, field),
      appId: fc.oneof({ weight: 3, arbitrary: shortText }, field),
      userId: fc.oneof({ weight: 3, arbitrary: shortText }, field),
      timestamp: fc.oneof({ weight: 3, arbitrary: fc.double({ min: 0, max: 2 ** 64 }) }, field),
      headers: fc.oneof({ weight: 5, arbitrary: headers }, fc.constant(undefined)),
    },
    { requiredKeys: [] },
  ),
});

const registry = new Registry([keeper]);

test("whatever a broker delivers is a message that can be sent on, and means something or nothing", () => {
  const property = fc.property(received, (delivered) => {
    const raw = delivered as unknown as ConsumeMessage;
    const message = messageFrom(raw);
    const { headers: passed = {}, timestamp = 0, ...rest } = message;
    for (const text of [...Object.values(rest), ...Object.values(passed)]) {
      expect(typeof text).toBe("string");
    }
    expect(Number.isFinite(timestamp)).toBe(true);
    expect(Object.getPrototypeOf(passed)).toBe(Object.prototype);
    // The ingress would stop at a message that the broker cannot be given again.
    expect(fitsAmqp("waybill.p.0", message)).toBe(true);
    expect(() => propertiesOf(message, "waybill")).not.toThrow();
    const redeliveries = redeliveriesOf(raw);
    expect(Number.isFinite(redeliveries)).toBe(true);
    const arrival = decode(
      { message, tag: 1, redeliveries },
      {
        registry,
        trustedUser: "waybill",
        limits: { bodyBytes: 10_000 },
        isOurs: () => true,
      },
    );
    expect(arrival.kind).toMatch(/^(start|event|unfit)$/);
  });
  fc.assert(property, { seed: firstSeed, numRuns: runs(2_000) });
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test("two messages whose ids are not UTF-8 are not taken for the same", () => {
  const withId = (...bytes: readonly number[]): Message =>
    messageFrom({
      content: Buffer.from("{}"),
      fields: { exchange: "", routingKey: "waybill.p.0", redelivered: false },
      properties: { messageId: Buffer.from(bytes).toString("utf8"), headers: {} },
    } as unknown as ConsumeMessage);
  expect(withId(0x61, 0xff).id).toBeUndefined();
  expect(withId(0x61, 0xfe).id).toBeUndefined();
  expect(withId(0x61, 0xc3, 0xbc).id).toBe("aü");
});
