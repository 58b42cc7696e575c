import { expect, test } from "vitest";
import { complete, fromEnvironment } from "../../src/configuration.ts";

test.each([
  ["embedded:", "sqlite:./a.db"],
  ["memory:", "memory:"],
  ["amqp://broker", "redis://db:6379/1"],
  ["amqps://one,two", "rediss://user:pass@db"],
  ["amqp://broker", "redis+sentinel://one,two/main"],
  ["amqp://broker", "rediss+sentinel://one,two/main"],
  ["amqp://broker", "redis+cluster://one,two"],
  ["amqp://broker", "rediss+cluster://one,two"],
])("a broker %s with a store %s is accepted", (broker, store) => {
  expect(complete({ broker, store })).toMatchObject({ broker, store });
});

test.each([
  ["embedded:", "redis://db"],
  ["memory:", "redis://db"],
  ["amqp://broker", "memory:"],
  ["amqp://broker", "redis+ring://db"],
  ["amqp://broker", "mongodb://db"],
  ["kafka://broker", "redis://db"],
])("a broker %s with a store %s is refused", (broker, store) => {
  expect(() => complete({ broker, store })).toThrow(
    expect.objectContaining({ code: "invalid-configuration" }),
  );
});

test("of baggage nothing travels on unless it is named, and a key that cannot be one is a problem", () => {
  expect(fromEnvironment({}).baggage).toEqual([]);
  expect(fromEnvironment({ WAYBILL_BAGGAGE: "tenant,region" }).baggage).toEqual([
    "tenant",
    "region",
  ]);
  expect(() => fromEnvironment({ WAYBILL_BAGGAGE: "tenant, region" })).toThrow(/" region"/);
});
