import { describe, expect, it } from "vitest";
import type { DryRun } from "../../../src/engine/client.ts";
import { waybillRoutes } from "../../../src/http/routes.ts";
import { order, scriptedClient, writing } from "./scripted-client.ts";

const events = "/workflows/order/instances/o-1/events";
const event = { type: "payment.captured", amount: 5 };

describe("POST events", () => {
  it("parts the type from the payload", async () => {
    const { client, asked } = scriptedClient({
      send: async () => ({ outcome: "applied", instance: order }),
    });
    await waybillRoutes(client).request(events, writing(event));
    expect(asked).toEqual([
      ["send", { workflow: "order", id: "o-1", type: "payment.captured", payload: { amount: 5 } }],
    ]);
  });

  it.each([
    ["applied", 200],
    ["duplicate", 200],
    ["ignored", 200],
    ["deferred", 202],
    ["held", 202],
  ] as const)("answers an event that was %s with %i and the instance", async (outcome, status) => {
    const { client } = scriptedClient({ send: async () => ({ outcome, instance: order }) });
    const answer = await waybillRoutes(client).request(events, writing(event));
    expect(answer.status).toBe(status);
    expect(answer.headers.get("etag")).toBe('"3"');
    expect(await answer.json()).toMatchObject({ outcome, id: "o-1", state: "awaitingPayment" });
  });

  it("answers 202 for an event that was parked, and does not wait for it", async () => {
    const { client, asked } = scriptedClient({
      send: async () => ({ outcome: "parked", instance: order }),
    });
    const answer = await waybillRoutes(client).request(
      events,
      writing(event, { prefer: "wait=5" }),
    );
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({ outcome: "parked" });
    expect(asked).toHaveLength(1);
  });

  it("answers 202 at once when the caller prefers not to wait", async () => {
    const { client, asked } = scriptedClient({ sendAsync: async () => ({ outcome: "accepted" }) });
    const prefer = { prefer: "respond-async" };
    const answer = await waybillRoutes(client).request(events, writing(event, prefer));
    expect(answer.status).toBe(202);
    expect(answer.headers.get("preference-applied")).toBe("respond-async");
    expect(await answer.json()).toEqual({ outcome: "accepted" });
    expect(asked.map(([method]) => method)).toEqual(["sendAsync"]);
  });

  it("waits for what may follow, and says what became of the event", async () => {
    const { client } = scriptedClient({
      send: async () => ({ outcome: "applied", instance: order }),
      wait: async () => ({ reached: true, instance: { ...order, status: "done" } }),
    });
    const answer = await waybillRoutes(client).request(
      events,
      writing(event, { prefer: "wait=5" }),
    );
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ outcome: "applied", status: "done" });
  });

  it("carries the version of If-Match along", async () => {
    const { client, asked } = scriptedClient({
      send: async () => ({ outcome: "applied", instance: order }),
    });
    await waybillRoutes(client).request(events, writing(event, { "if-match": '"3"' }));
    expect(asked[0]?.[1]).toMatchObject({ ifVersion: 3 });
  });

  it("asks what an event would do, and sends nothing, for a dry run", async () => {
    const dryRun: DryRun = {
      accepted: true,
      state: "paid",
      status: "active",
      emits: [{ type: "payment.settled", payload: {} }],
      timersArmed: [],
      timersCancelled: ["paymentDeadline"],
      activitiesStarted: [],
      activitiesStopped: [],
    };
    const { client, asked } = scriptedClient({ dryRun: async () => dryRun });
    const answer = await waybillRoutes(client).request(`${events}?dryRun=true`, writing(event));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual(dryRun);
    expect(asked.map(([method]) => method)).toEqual(["dryRun"]);
  });

  it.each([
    ["a body that is no object", [1], ""],
    ["a body without a type", { amount: 5 }, "/type"],
    ["a type that is no text", { type: 5 }, "/type"],
    ["an empty type", { type: "" }, "/type"],
  ])("refuses %s with 422 and the pointer to it", async (_what, body, pointer) => {
    const { client } = scriptedClient({});
    const answer = await waybillRoutes(client).request(events, writing(body));
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ code: "invalid-payload", errors: [{ pointer }] });
  });
});
