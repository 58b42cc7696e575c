import { expect, test, vi } from "vitest";
import { isComplete, reportJson, reportTable } from "../../../src/cli/report.ts";
import { runOrders } from "../../../src/cli/run-orders.ts";
import { systemClock as clock } from "../../../src/clock.ts";
import { ScriptedClient } from "./scripted-client.ts";

const outcomes = ["delivered", "refused", "cancelled"];
const items = ["a", "b", "c"].map((id) => ({ id, input: {} }));
const run = { clock, workflow: "w", items, outcomes };

test("A run ends when its last order is in a final state, and says how many ended where", async () => {
  const client = new ScriptedClient();
  const running = runOrders({ ...run, client });
  await vi.waitFor(() => expect(client.instances.size).toBe(3), { timeout: 20_000 });
  client.end("a", "delivered");
  client.end("c", "delivered");
  expect(
    await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 150, "open"))]),
  ).toBe("open");
  client.end("b", "refused");
  const report = await running;
  expect(report).toMatchObject({
    orders: 3,
    final: { delivered: 2, refused: 1, cancelled: 0 },
    endedHere: 3,
    stopped: false,
  });
  expect(isComplete(report)).toBe(true);
});

test("A second run over the same orders says the same, counts nothing as done by itself, and ignores other orders", async () => {
  const client = new ScriptedClient();
  client.instances.set("other", { input: {}, state: "delivered", status: "done" });
  for (const { id, input } of items)
    client.instances.set(id, { input, state: "delivered", status: "done" });
  const report = await runOrders({ ...run, client });
  expect(report).toMatchObject({ final: { delivered: 3 }, endedHere: 0, endedBefore: 3 });
  expect(JSON.parse(reportJson(report))).toMatchObject({ orders: 3, ordersPerSecond: 0 });
});

test("An order that ended in an error is counted apart and keeps the run from being complete", async () => {
  const client = new ScriptedClient();
  for (const { id, input } of items)
    client.instances.set(id, { input, state: "paying", status: "error" });
  const report = await runOrders({ ...run, client });
  expect(report.other).toEqual({ error: 3 });
  expect(isComplete(report)).toBe(false);
  expect(reportTable(report)).toMatch(/error +3/);
});

test("A run that is stopped ends early and says so", async () => {
  const client = new ScriptedClient();
  const stop = new AbortController();
  const running = runOrders({ ...run, client, signal: stop.signal });
  stop.abort();
  const report = await running;
  expect(report.stopped).toBe(true);
  expect(isComplete(report)).toBe(false);
});

test("The line of JSON holds orders, every final state, seconds and orders per second, in this order", () => {
  const report = {
    orders: 830,
    final: { delivered: 591, refused: 207, declined: 19, refunded: 13, cancelled: 0 },
    other: {},
    endedHere: 830,
    endedBefore: 0,
    refused: [],
    stopped: false,
    seconds: 4.0004,
  };
  expect(reportJson(report)).toBe(
    '{"orders":830,"final":{"delivered":591,"refused":207,"declined":19,"refunded":13,"cancelled":0},"seconds":4,"ordersPerSecond":207.5}',
  );
  expect(reportTable(report)).toBe(
    [
      "delivered  591",
      "refused    207",
      "declined    19",
      "refunded    13",
      "cancelled    0",
      "--------------",
      "orders     830",
      "",
      "830 ended in 4 s, 207.5 orders per second.",
      "",
    ].join("\n"),
  );
});
