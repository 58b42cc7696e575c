import { describe, expect, it } from "vitest";
import { waybillRoutes } from "../../../src/http/routes.ts";
import { order, scriptedClient, writing } from "./scripted-client.ts";

const start = "/workflows/order/instances";
const created = async () => ({ outcome: "created", instance: order }) as const;

describe("POST instances", () => {
  it("answers 201 with Location and ETag once the start is committed", async () => {
    const { client, asked } = scriptedClient({
      start: created,
    });
    const answer = await waybillRoutes(client).request(start, writing({ amount: 5 }));
    expect(answer.status).toBe(201);
    expect(answer.headers.get("location")).toBe("/workflows/order/instances/o-1");
    expect(answer.headers.get("etag")).toBe('"3"');
    expect(asked).toEqual([["start", { workflow: "order", input: { amount: 5 } }]]);
  });

  it("gives the instance as the client sees it, with ISO 8601 times", async () => {
    const { client } = scriptedClient({
      start: created,
    });
    const answer = await waybillRoutes(client).request(start, writing({}));
    expect(await answer.json()).toEqual({
      ...order,
      timers: [{ name: "paymentDeadline", due: "1970-01-01T00:30:00.000Z" }],
      createdAt: "1970-01-01T00:00:00.000Z",
      updatedAt: "1970-01-01T00:00:01.000Z",
    });
  });

  it("answers 200 when the instance exists already", async () => {
    const { client } = scriptedClient({
      start: async () => ({ outcome: "existing", instance: order }),
    });
    const answer = await waybillRoutes(client).request(start, writing({}));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("location")).toBe("/workflows/order/instances/o-1");
  });

  it("answers 202 with the id when the caller prefers not to wait", async () => {
    const { client, asked } = scriptedClient({
      startAsync: async () => ({ outcome: "accepted", id: "a:b" }),
    });
    const prefer = { prefer: "respond-async" };
    const answer = await waybillRoutes(client).request(start, writing({}, prefer));
    expect(answer.status).toBe(202);
    expect(answer.headers.get("preference-applied")).toBe("respond-async");
    expect(answer.headers.get("location")).toBe("/workflows/order/instances/a%3Ab");
    expect(await answer.json()).toEqual({ outcome: "accepted", id: "a:b" });
    expect(asked).toHaveLength(1);
  });

  it("passes on the idempotency key and a sound trace context", async () => {
    const { client, asked } = scriptedClient({
      start: created,
    });
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const headers = { "idempotency-key": "k-1", traceparent, tracestate: "a=b", baggage: "c=d" };
    await waybillRoutes(client).request(start, writing({}, headers));
    expect(asked[0]?.[1]).toMatchObject({
      idempotencyKey: "k-1",
      traceHeaders: { traceparent, tracestate: "a=b", baggage: "c=d" },
    });
  });

  it("drops a trace context that is malformed, but not the baggage", async () => {
    const { client, asked } = scriptedClient({
      start: created,
    });
    const traceparent = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
    const headers = { traceparent, tracestate: "a=b", baggage: "c=d" };
    await waybillRoutes(client).request(start, writing({}, headers));
    expect(asked[0]?.[1]).toMatchObject({ traceHeaders: { baggage: "c=d" } });
    expect(asked[0]?.[1]).not.toHaveProperty("traceHeaders.tracestate");
  });

  it("takes an empty body for an empty object", async () => {
    const { client, asked } = scriptedClient({
      start: created,
    });
    await waybillRoutes(client).request(start, writing(""));
    expect(asked[0]?.[1]).toMatchObject({ input: {} });
  });
});

describe("PUT an instance", () => {
  it("uses the caller's id, and by default the instance that exists", async () => {
    const { client, asked } = scriptedClient({
      start: async () => ({ outcome: "existing", instance: order }),
    });
    const answer = await waybillRoutes(client).request(`${start}/o-1`, writing({}, {}, "PUT"));
    expect(answer.status).toBe(200);
    expect(asked[0]?.[1]).toMatchObject({ id: "o-1", onConflict: "use-existing" });
  });

  it.each(["reject", "terminate-existing"])("passes on onConflict=%s", async (onConflict) => {
    const { client, asked } = scriptedClient({
      start: created,
    });
    const url = `${start}/o-1?onConflict=${onConflict}`;
    const answer = await waybillRoutes(client).request(url, writing({}, {}, "PUT"));
    expect(answer.status).toBe(201);
    expect(asked[0]?.[1]).toMatchObject({ onConflict });
  });

  it("refuses another onConflict", async () => {
    const { client } = scriptedClient({});
    const url = `${start}/o-1?onConflict=replace`;
    const answer = await waybillRoutes(client).request(url, writing({}, {}, "PUT"));
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ errors: [{ parameter: "onConflict" }] });
  });
});

describe("a start that waits", () => {
  const wait = { prefer: "wait=2" };

  it("answers 200 with the instance when what it waits for is reached", async () => {
    const instance = { ...order, version: 9, state: "shipped" };
    const { client, asked } = scriptedClient({
      start: created,
      wait: async () => ({ reached: true, instance }),
    });
    const url = `${start}?until=state:shipped`;
    const answer = await waybillRoutes(client).request(url, writing({}, wait));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("etag")).toBe('"9"');
    expect(answer.headers.get("preference-applied")).toBe("wait=2");
    expect(await answer.json()).toMatchObject({ state: "shipped" });
    expect(asked[1]).toMatchObject(["wait", "order", "o-1", { until: "state:shipped" }]);
  });

  it("answers 202 with the present state when its time is up", async () => {
    const { client } = scriptedClient({
      start: created,
      wait: async () => ({ reached: false, instance: order }),
    });
    const answer = await waybillRoutes(client).request(start, writing({}, wait));
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ id: "o-1", state: "awaitingPayment" });
  });

  it("counts the time that the start itself took", async () => {
    let now = 0;
    const clock = { monotonic: () => now, wall: () => 0, after: () => () => undefined, soon() {} };
    const { client, asked } = scriptedClient({
      async start() {
        now += 1_500;
        return created();
      },
      wait: async () => ({ reached: true, instance: order }),
    });
    await waybillRoutes(client, { clock }).request(start, writing({}, wait));
    expect(asked[1]).toEqual(["wait", "order", "o-1", { timeoutMs: 500 }]);
  });
});
