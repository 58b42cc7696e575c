import { expect, test } from "vitest";
import { createMachine } from "xstate";
import { z } from "zod";
import { defineWorkflow } from "../../src/workflow.ts";
import { order, orderMachine, orderMessages } from "../support/order-machine.ts";
import { problemsOf, problemsOfDefinition } from "../support/problems.ts";

test("names and versions that no queue could carry are refused", () => {
  expect(problemsOfDefinition({ name: "a/b", version: "" })).toHaveLength(2);
  expect(problemsOfDefinition({ machine: {} as never })).toEqual([
    expect.stringContaining("not an XState machine"),
  ]);
});

test("all problems come at once", () => {
  const config = { initial: "a", states: { a: { invoke: { src: "x" }, entry: "y" } } };
  expect(problemsOf(config, {}, { name: "?" })).toHaveLength(4);
});

test("a definition comes back with its defaults, its activities and its children", () => {
  expect(order.events.get("order.held")).toMatchObject({
    missing: "park",
    unaccepted: "dead-letter",
  });
  expect(order.events.get("order.cancelled")).toMatchObject({ unaccepted: "ignore" });
  expect(order.events.get("payment.declined")?.correlate?.({ orderId: "o7" })).toBe("o7");
  expect(order.emits.get("order.paid")?.reply).toBeUndefined();
  expect([...order.activities.keys()]).toEqual(["reserve", "invoice", "refund"]);
  expect(order.activities.get("refund")).toMatchObject({
    run: undefined,
    options: { local: false },
  });
  const shipment = order.children.get("shipment");
  expect(shipment).toMatchObject({ name: "order.shipment", version: "1" });
  expect([...(shipment?.activities.keys() ?? [])]).toEqual(["book"]);
  expect(order.instanceId?.({ orderId: "o7" })).toBe("o7");
  expect(Object.isFrozen(order)).toBe(true);
});

test("a machine that has itself as a child becomes a workflow that does", () => {
  const machine = createMachine({ context: {} });
  machine.implementations.actors["again"] = machine as never;
  const workflow = defineWorkflow({ name: "w", version: "1", machine, events: {} });
  expect(workflow.children.get("again")).toBe(workflow);
});

test("the types of a workflow reach its functions", () => {
  const { events, emits } = orderMessages;
  defineWorkflow({
    name: "order",
    version: "2",
    machine: orderMachine,
    events,
    emits,
    input: z.object({ orderId: z.string() }),
    // @ts-expect-error the input has no such field
    instanceId: (input) => input.nothing,
    // @ts-expect-error neither has the context
    attributes: (context) => ({ nothing: context.nothing }),
  });
});
