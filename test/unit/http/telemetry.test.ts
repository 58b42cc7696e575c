import { describe, expect, it } from "vitest";
import { waybillRoutes } from "../../../src/http/routes.ts";
import { RecordingTracer } from "../../support/recording-tracer.ts";
import { order, scriptedClient } from "./scripted-client.ts";

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

describe("/metrics", () => {
  it("serves what it is given as Prometheus' text", async () => {
    const { client } = scriptedClient({});
    const app = waybillRoutes(client, { metrics: async () => "waybill_ready 1\n" });
    const response = await app.request("/metrics");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await response.text()).toBe("waybill_ready 1\n");
  });

  it("is not there when nothing is measured", async () => {
    const { client } = scriptedClient({});
    expect((await waybillRoutes(client).request("/metrics")).status).toBe(404);
  });
});

describe("the span of a request", () => {
  it("is a child of its caller's, and the cause of what it asks for", async () => {
    const tracer = new RecordingTracer();
    const { client, asked } = scriptedClient({
      send: async () => ({ outcome: "applied", instance: order }),
    });
    await waybillRoutes(client, { tracer }).request("/workflows/order/instances/o-1/events", {
      method: "POST",
      headers: { "content-type": "application/json", traceparent, baggage: "k=v" },
      body: '{"type":"payment.captured"}',
    });
    const [span] = tracer.ended;
    expect(span).toMatchObject({
      kind: "server",
      parent: { traceparent, baggage: "k=v" },
      ended: {
        name: "POST /workflows/:workflow/instances/:id/events",
        attributes: {
          "http.response.status_code": 200,
          "http.route": "/workflows/:workflow/instances/:id/events",
        },
      },
    });
    expect(asked).toMatchObject([["send", { traceHeaders: span?.headers }]]);
  });

  it("shows an error of the server, and none of the caller", async () => {
    const tracer = new RecordingTracer();
    const { client } = scriptedClient({
      get: async () => {
        throw new Error("a bug");
      },
    });
    const app = waybillRoutes(client, { tracer });
    await app.request("/workflows/order/instances/o-1");
    await app.request("/workflows/order/instances/o-1/events", { method: "PUT" });
    expect(tracer.ended.map(({ ended }) => [ended?.name, ended?.error])).toEqual([
      ["GET /workflows/:workflow/instances/:id", "answered 500"],
      ["PUT", undefined],
    ]);
  });

  it("is not made for health and metrics, which are asked for all the time", async () => {
    const tracer = new RecordingTracer();
    const { client } = scriptedClient({});
    await waybillRoutes(client, { tracer }).request("/healthz");
    expect(tracer.spans).toEqual([]);
  });
});
