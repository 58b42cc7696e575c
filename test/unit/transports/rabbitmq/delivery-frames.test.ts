import type { ConsumeMessage } from "amqplib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Delivery } from "../../../../src/transport.ts";
import { DeliveryFrames } from "../../../../transports/rabbitmq/delivery-frames.ts";
import { messageFrom, redeliveriesOf } from "../../../../transports/rabbitmq/envelope.ts";
import { firstSeed, runs } from "../../../support/fuzz-budget.ts";
import { anyText } from "../../../support/hostile.ts";
import { contentFrames, methodFrame, readByClient } from "../../../support/memory-amqp.ts";

const short = fc.oneof(
  anyText.filter((text) => Buffer.byteLength(text) <= 255),
  fc.constantFrom("order.paid", "waybill", "engine", "é".repeat(127), "x".repeat(255)),
);
const text = fc.oneof(anyText, fc.string({ unit: "binary", maxLength: 200 }));
const names = fc.constantFrom(
  "x-waybill-instance",
  "x-waybill-ms",
  "traceparent",
  "x-death",
  "x-first-death-queue",
  "x-last-death-reason",
  "x-delivery-count",
  "x-acquired-count",
  "__proto__",
  "7",
);
/** The ways in which a broker writes a field, beside text. */
const field = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 2, arbitrary: fc.constantFrom("1", "123", "999", "1000", "-5", "x") },
  fc.nat(2 ** 45).map((value) => ({ "!": "long", value })),
  fc.constant({ "!": "long", value: -3 }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.dictionary(fc.constantFrom("queue", "reason"), text), { maxLength: 2 }),
);
const headers = (value: fc.Arbitrary<unknown>, name: fc.Arbitrary<string>) =>
  fc.array(fc.tuple(name, value), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs));

const delivered = (table: fc.Arbitrary<Readonly<Record<string, unknown>>>) =>
  fc.record({
    fields: fc.record({
      consumerTag: short,
      deliveryTag: fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.maxSafeNat()),
      redelivered: fc.boolean(),
      exchange: fc.oneof(short, fc.constantFrom("", "waybill.events", "waybill.inbound")),
      routingKey: short,
    }),
    properties: fc.record(
      {
        contentType: short,
        contentEncoding: short,
        headers: table,
        deliveryMode: fc.constantFrom(1, 2),
        priority: fc.nat(255),
        correlationId: short,
        replyTo: short,
        expiration: short,
        messageId: short,
        timestamp: fc.oneof(fc.nat(2 ** 31), fc.maxSafeNat()),
        type: short,
        userId: short,
        appId: short,
        clusterId: short,
      },
      { requiredKeys: [] },
    ),
    body: fc.oneof(fc.json(), text),
  });

type Delivered = ReturnType<typeof delivered> extends fc.Arbitrary<infer One> ? One : never;

function bytesOf({ fields, properties, body }: Delivered, pieceBytes = Infinity): Buffer {
  const content = contentFrames(3, Buffer.from(body), { properties, pieceBytes });
  return Buffer.concat([methodFrame("BasicDeliver", 3, fields), content]);
}

/** What it would be by way of the client. */
function byClient(bytes: Buffer): Delivery {
  const [method, header, body] = readByClient(bytes);
  const content = body?.content ?? Buffer.alloc(0);
  const message = { content, fields: method?.fields, properties: header?.fields };
  const received = message as unknown as ConsumeMessage;
  const { deliveryTag: tag } = received.fields;
  return { message: messageFrom(received), tag, redeliveries: redeliveriesOf(received) };
}

const before = Buffer.from("what came before");
const frames = new DeliveryFrames();

test("what it reads is what comes by way of the client, and ends where the next frame begins", () => {
  let read = 0;
  const property = fc.property(delivered(headers(field, fc.oneof(names, short))), (one) => {
    const bytes = bytesOf(one);
    const whole = Buffer.concat([before, bytes, bytes]);
    const delivery = frames.read(whole, before.length);
    if (delivery === undefined) return;
    read += 1;
    expect(delivery).toEqual(byClient(bytes));
    expect(Object.keys(delivery.message)).toEqual(Object.keys(byClient(bytes).message));
    expect(frames.end).toBe(before.length + bytes.length);
  });
  fc.assert(property, { seed: firstSeed, numRuns: runs(2_000) });
  expect(read).toBeGreaterThan(runs(400));
});

test("leaves no ordinary delivery to the client", () => {
  const isClean = (value: string): boolean =>
    !value.includes("\ufffd") && Buffer.from(value).toString() === value;
  const plainName = short.filter((name) => isClean(name) && name !== "__proto__");
  const plain = delivered(headers(text.filter(isClean), plainName)).filter(({ properties }) =>
    Object.values(properties).every((value) => typeof value !== "string" || isClean(value)),
  );
  const property = fc.property(plain, (one) => {
    fc.pre(isClean(one.fields.exchange) && isClean(one.fields.routingKey));
    expect(frames.read(bytesOf(one), 0)).toEqual(byClient(bytesOf(one)));
  });
  fc.assert(property, { seed: firstSeed, numRuns: runs(500) });
});

test("whatever the bytes, it reads what the client reads, or leaves it to the client", () => {
  const change = fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 3, 83, 0xce)));
  const changes = fc.array(change, { minLength: 1, maxLength: 3 });
  const any = delivered(headers(field, fc.oneof(names, short)));
  const property = fc.property(any, changes, (one, changed) => {
    const bytes = bytesOf(one);
    for (const [place, value] of changed) bytes[place % bytes.length] = value;
    // Another method is not read at all.
    bytes.set([0, 60, 0, 60], 7);
    const delivery = frames.read(bytes, 0);
    if (delivery === undefined) return;
    const whole = bytes.subarray(0, frames.end);
    expect(delivery).toEqual(byClient(whole));
  });
  fc.assert(property, { seed: firstSeed, numRuns: runs(4_000) });
});

test("leaves what is not all there, what is of another channel and what comes in pieces to the client", () => {
  const fields = { consumerTag: "c", deliveryTag: 1, redelivered: false, exchange: "" };
  const one = {
    fields: { ...fields, routingKey: "q" },
    properties: { messageId: "1", headers: {} },
    body: '"body"',
  };
  const bytes = bytesOf(one);
  expect(frames.read(bytes, 0)).toBeDefined();
  for (let length = 0; length < bytes.length; length += 1) {
    expect(frames.read(bytes.subarray(0, length), 0)).toBeUndefined();
  }
  expect(frames.read(bytesOf(one, 4), 0)).toBeUndefined();
  const other = Buffer.concat([
    methodFrame("BasicDeliver", 4, one.fields),
    bytes.subarray(methodFrame("BasicDeliver", 3, one.fields).length),
  ]);
  expect(frames.read(other, 0)).toBeUndefined();
  expect(frames.read(bytesOf({ ...one, body: "" }), 0)?.message.body).toBe("");
});
