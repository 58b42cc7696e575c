import { expect, test } from "vitest";
import { createActor, SimulatedClock } from "xstate";
import { hello } from "../../../machines/hello/workflow.ts";
import {
  businessDeadlines,
  cutDeadlines,
  deadlinesInMs,
  scaleDeadlines,
} from "../../../machines/order-to-shipment/deadlines.ts";
import { orderToShipment } from "../../../machines/order-to-shipment/workflow.ts";

test("The shop's deadlines can be cut to a longest one or scaled by a factor", () => {
  expect(cutDeadlines(businessDeadlines, "20s")).toMatchObject({
    answerTimeout: 20_000,
    carrierDeadline: 20_000,
  });
  expect(cutDeadlines(businessDeadlines, "1m").answerTimeout).toBe(30_000);
  expect(scaleDeadlines(businessDeadlines, 0.01)).toMatchObject({
    answerTimeout: 300,
    paymentDeadline: 9_000,
  });
});

test("The workflow waits as long as it is told, and by default as long as the shop would", () => {
  expect(orderToShipment().machine.implementations.delays).toEqual(
    deadlinesInMs(businessDeadlines),
  );
  const { delays } = orderToShipment({ paymentDeadline: "5s" }).machine.implementations;
  expect(delays).toMatchObject({ paymentDeadline: 5_000, answerTimeout: 30_000 });
});

test("Hello ends as answered after a reply, and as unanswered after a minute without one", () => {
  const clock = new SimulatedClock();
  const greeted = createActor(hello.machine, { input: { name: "Ada" }, clock }).start();
  const ignored = createActor(hello.machine, { input: { name: "Bob" }, clock }).start();
  greeted.send({ type: "hello.reply", words: "Hello yourself!" });
  clock.increment(60_000);
  expect(greeted.getSnapshot().value).toBe("answered");
  expect(ignored.getSnapshot().value).toBe("unanswered");
});
