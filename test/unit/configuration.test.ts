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

test.each([
  { WAYBILL_BROKER: "ampq://me:sec/ret@broker", WAYBILL_ROLES: "http" },
  { WAYBILL_BROKER: "kafka:me:sec/ret@broker" },
  { WAYBILL_STORE: "redis+ring://one?password=sec/ret" },
])("a password is not told with what is wrong: %o", (environment) => {
  expect(() => fromEnvironment(environment)).toThrow(/…/);
  expect(() => fromEnvironment(environment)).not.toThrow(/sec|ret@/);
});

test.each(["", " 8 ", "0x10", "1e1", "8.0"])("the port %j is no whole number", (text) => {
  expect(() => fromEnvironment({ PORT: text })).toThrow(/PORT is NaN; use a whole number/);
  expect(() => fromEnvironment({ WAYBILL_PARTITIONS: text })).toThrow(/WAYBILL_PARTITIONS is NaN/);
});
