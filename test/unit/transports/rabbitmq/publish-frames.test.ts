import type { ConfirmChannel } from "amqplib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Message } from "../../../../src/message.ts";
import { fitsAmqp, propertiesOf } from "../../../../transports/rabbitmq/envelope.ts";
import type { Posting } from "../../../../transports/rabbitmq/posting.ts";
import { PublishFrames } from "../../../../transports/rabbitmq/publish-frames.ts";
import { firstSeed, runs } from "../../../support/fuzz-budget.ts";
import { anyText } from "../../../support/hostile.ts";
import { connectedTo, MemoryAmqp } from "../../../support/memory-amqp.ts";

const frameMax = 4_096;
const user = "engine";

const short = fc.oneof(
  anyText.filter((text) => Buffer.byteLength(text) <= 255),
  fc.constantFrom("order.paid", "x".repeat(255), "é".repeat(127), "waybill.p.3", "order/ö-17/2"),
  fc.string({ minLength: 25, maxLength: 60 }),
);
const long = fc.oneof(
  anyText,
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.constantFrom("y".repeat(1_500), "ü".repeat(700), "x".repeat(1_024), "00-0af7651916cd43dd"),
);
const body = fc.oneof(
  fc.json(),
  long,
  fc.nat(20_000).map((length) => "z".repeat(length)),
  fc.nat(6_000).map((length) => "€".repeat(length)),
  fc.constantFrom("a".repeat(4_088), "a".repeat(4_089), "a".repeat(8_176), "é".repeat(2_044)),
);
const timestamp = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 45 }),
  fc.double({ min: 0, max: 2 ** 53, noNaN: true }),
  fc.constantFrom(0, 1_700_000_000_000, 999, 2 ** 32 * 1_000, 2 ** 32 * 1_000 - 1),
);
const message: fc.Arbitrary<Message> = fc.record(
  {
    body,
    id: short,
    type: short,
    correlationId: short,
    replyTo: short,
    appId: short,
    userId: short,
    timestamp,
    headers: fc
      .array(fc.tuple(fc.oneof(short, fc.constantFrom("x-waybill-ms", "7", "traceparent")), long), {
        maxLength: 4,
      })
      .map((entries) => Object.fromEntries(entries)),
  },
  { requiredKeys: ["body"] },
);
const posting: fc.Arbitrary<Posting> = fc
  .record({
    exchange: fc.constantFrom("", "waybill.events", "ü.events"),
    routingKey: short,
    mandatory: fc.boolean(),
    message,
  })
  .filter((one) => fitsAmqp(one.routingKey, one.message));

/** What the client itself would write; it refuses nothing that AMQP has room for. */
async function clientsOwn(postings: readonly Posting[]): Promise<Buffer> {
  const broker = new MemoryAmqp(frameMax);
  const channel: ConfirmChannel = await (await connectedTo(broker)).createConfirmChannel();
  for (const { exchange, routingKey, mandatory, message: sent } of postings) {
    const properties = { ...propertiesOf(sent, user), mandatory };
    channel.publish(exchange, routingKey, Buffer.from(sent.body), properties);
  }
  await expect.poll(() => broker.count("BasicPublish"), { interval: 1 }).toBe(postings.length);
  return broker.published();
}

test("whatever a message holds, its frames are those that the client would write", async () => {
  const property = fc.asyncProperty(fc.array(posting, { maxLength: 12 }), async (postings) => {
    const frames = new PublishFrames({ channel: 1, frameMax, user });
    const bodies = postings.map((one) => {
      try {
        return frames.add(one);
      } catch {
        return undefined;
      }
    });
    const added = postings.filter((_, index) => bodies[index] !== undefined);
    const lengths = added.map((one) => Buffer.byteLength(one.message.body));
    expect(bodies.filter((length) => length !== undefined)).toEqual(lengths);
    const ours = Buffer.concat(frames.take());
    expect(ours.equals(await clientsOwn(added))).toBe(true);
    expect(frames.take()).toEqual([]);
    for (const left of postings.filter((one) => !added.includes(one))) {
      const fields = Object.entries(left.message.headers ?? {}).flat();
      // Only a header frame above the limit is left out: it would end the connection.
      expect(fields.join("").length * 3).toBeGreaterThan(frameMax - 3_000);
    }
  });
  await fc.assert(property, { seed: firstSeed, numRuns: runs(150) });
});

test("what was taken stays as it was, however much is added after it", () => {
  const frames = new PublishFrames({ channel: 1, frameMax: 131_072, user });
  const taken: [frames: readonly Buffer[], copy: Buffer][] = [];
  for (let index = 0; index < 2_000; index += 1) {
    const text = `${index}`.repeat(1 + (index % 97));
    frames.add({ exchange: "", routingKey: "q", mandatory: true, message: { body: text } });
    if (index % 3 > 0) continue;
    const pieces = frames.take();
    taken.push([pieces, Buffer.concat(pieces)]);
  }
  for (const [pieces, copy] of taken) expect(Buffer.concat(pieces).equals(copy)).toBe(true);
});

test("what has no room leaves nothing behind", () => {
  const frames = new PublishFrames({ channel: 1, frameMax, user });
  const add = (wrong: Partial<Message>): number =>
    frames.add({
      exchange: "",
      routingKey: "q",
      mandatory: true,
      message: { body: "b", ...wrong },
    });
  expect(() => add({ timestamp: -1 })).toThrow(RangeError);
  expect(() => add({ timestamp: Number.NaN })).toThrow(RangeError);
  expect(() => add({ timestamp: Infinity })).toThrow(RangeError);
  expect(() => add({ timestamp: 2 ** 80 })).toThrow(RangeError);
  expect(() => add({ id: "x".repeat(256) })).toThrow(RangeError);
  expect(() => add({ headers: { long: "x".repeat(frameMax) } })).toThrow(RangeError);
  expect(() => add({ headers: { long: "x".repeat(100_000) } })).toThrow(RangeError);
  expect(Buffer.concat(frames.take())).toHaveLength(0);
  expect(() => new PublishFrames({ channel: 1, frameMax, user: "x".repeat(256) })).toThrow(
    RangeError,
  );
});
