import { expect, test } from "vitest";
import { complete } from "../../src/configuration.ts";

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
