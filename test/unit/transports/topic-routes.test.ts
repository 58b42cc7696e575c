import { describe, expect, test } from "vitest";
import { matchesTopic, TopicRoutes } from "../../../transports/memory/topic-routes.ts";

describe("a topic pattern", () => {
  test.each([
    ["order.placed", "order.placed", true],
    ["order.placed", "order.placed.late", false],
    ["order.placed", "order", false],
    ["*", "order", true],
    ["*", "order.placed", false],
    ["*", "", false],
    ["order.*", "order.placed", true],
    ["order.*", "order", false],
    ["*.placed", "order.placed", true],
    ["#", "", true],
    ["#", "order.line.added", true],
    ["order.#", "order", true],
    ["order.#", "order.line.added", true],
    ["order.#", "orders", false],
    ["#.added", "added", true],
    ["#.added", "order.line.added", true],
    ["order.#.added", "order.added", true],
    ["order.#.added", "order.line.one.added", true],
    ["order.#.added", "order.line.removed", false],
    ["*.#", "", false],
    ["*.#", "order", true],
    ["#.#", "", true],
    ["", "", true],
    ["", "order", false],
  ])("%j and the routing key %j: %j", (pattern, routingKey, matches) => {
    expect(matchesTopic(pattern, routingKey)).toBe(matches);
  });
});

describe("the routes", () => {
  test("follow bindings that are made and queues that go, though keys were asked for before", () => {
    const routes = new TopicRoutes();
    expect(routes.queuesFor("events", "a")).toEqual([]);
    routes.bind({ queue: "one", exchange: "events", pattern: "a" });
    routes.bind({ queue: "two", exchange: "events", pattern: "#" });
    expect(routes.queuesFor("events", "a")).toEqual(["one", "two"]);
    expect(routes.queuesFor("changes", "a")).toEqual([]);
    routes.unbindQueue("one");
    expect(routes.queuesFor("events", "a")).toEqual(["two"]);
  });
});
