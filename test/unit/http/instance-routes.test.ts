import { describe, expect, it } from "vitest";
import { waybillRoutes } from "../../../src/http/routes.ts";
import { order, scriptedClient } from "./scripted-client.ts";

const instances = "/workflows/order/instances";

describe("GET an instance", () => {
  it("answers 200 with its version as a strong ETag", async () => {
    const { client, asked } = scriptedClient({ get: async () => order });
    const answer = await waybillRoutes(client).request(`${instances}/o-1`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("etag")).toBe('"3"');
    expect(await answer.json()).toMatchObject({ id: "o-1", accepts: ["payment.captured"] });
    expect(asked).toEqual([["get", "order", "o-1"]]);
  });

  it("answers 304 without a body when nothing changed", async () => {
    const { client } = scriptedClient({ get: async () => order });
    const headers = { "if-none-match": '"3"' };
    const answer = await waybillRoutes(client).request(`${instances}/o-1`, { headers });
    expect(answer.status).toBe(304);
    expect(answer.headers.get("etag")).toBe('"3"');
    expect(await answer.text()).toBe("");
  });

  it("waits when asked to", async () => {
    const { client, asked } = scriptedClient({
      get: async () => order,
      wait: async () => ({ reached: false, instance: order }),
    });
    const url = `${instances}/o-1?until=tag:closed`;
    const answer = await waybillRoutes(client).request(url, { headers: { prefer: "wait=300" } });
    expect(answer.status).toBe(202);
    expect(answer.headers.get("preference-applied")).toBe("wait=120");
    expect(asked[1]).toMatchObject(["wait", "order", "o-1", { until: "tag:closed" }]);
  });

  it("never answers 304 for what it waited for in vain", async () => {
    const { client } = scriptedClient({
      get: async () => order,
      wait: async () => ({ reached: false, instance: order }),
    });
    const headers = { prefer: "wait=1", "if-none-match": '"3"' };
    const answer = await waybillRoutes(client).request(`${instances}/o-1`, { headers });
    expect(answer.status).toBe(202);
  });

  it("answers HEAD like GET, without the body", async () => {
    const { client } = scriptedClient({ get: async () => order });
    const answer = await waybillRoutes(client).request(`${instances}/o-1`, { method: "HEAD" });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe("");
  });
});

describe("GET instances", () => {
  it("passes on every filter", async () => {
    const { client, asked } = scriptedClient({
      list: async () => ({ items: [order], nextCursor: "c2" }),
    });
    const query = new URLSearchParams({
      status: "active",
      state: "awaitingPayment",
      tag: "open",
      "attribute.country": "NL",
      "attribute.vip": "true",
      updatedAfter: "1970-01-01T01:00:00+01:00",
      limit: "2",
      cursor: "c1",
    });
    const answer = await waybillRoutes(client).request(`${instances}?${query.toString()}`);
    expect(await answer.json()).toMatchObject({ items: [{ id: "o-1" }], nextCursor: "c2" });
    expect(asked).toEqual([
      [
        "list",
        {
          workflow: "order",
          status: "active",
          state: "awaitingPayment",
          tag: "open",
          attributes: { country: "NL", vip: "true" },
          updatedAfter: 0,
          limit: 2,
          cursor: "c1",
        },
      ],
    ]);
  });

  it("gives 50 unless asked for more", async () => {
    const { client, asked } = scriptedClient({ list: async () => ({ items: [] }) });
    await waybillRoutes(client).request(instances);
    expect(asked).toEqual([["list", { workflow: "order", limit: 50 }]]);
  });

  it("lists those that are stuck, or that keep events waiting", async () => {
    const { client, asked } = scriptedClient({ list: async () => ({ items: [] }) });
    await waybillRoutes(client).request(`${instances}?stuck=true`);
    await waybillRoutes(client).request(`${instances}?waiting=true`);
    expect(asked).toMatchObject([
      ["list", { stuck: true }],
      ["list", { waiting: true }],
    ]);
  });

  it.each([
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
    ["limit=many", "limit"],
    ["updatedAfter=yesterday", "updatedAfter"],
    ["stauts=active", "stauts"],
    ["attribute.=x", "attribute."],
    ["tag=a&tag=b", "tag"],
    ["stuck=false", "stuck"],
    ["waiting=1", "waiting"],
  ])("refuses ?%s and names the parameter", async (query, parameter) => {
    const { client } = scriptedClient({});
    const answer = await waybillRoutes(client).request(`${instances}?${query}`);
    expect(answer.status).toBe(400);
    const problem = await answer.json();
    expect(problem).toMatchObject({ code: "invalid-parameter", errors: [{ parameter }] });
  });
});

describe("GET history", () => {
  const entry = { number: 7, at: 0, version: 7, type: "order.cancel", state: "cancelled" };

  it("says where the next page starts when this one is full", async () => {
    const { client, asked } = scriptedClient({ history: async () => [entry] });
    const url = `${instances}/o-1/history?after=6&limit=1`;
    const answer = await waybillRoutes(client).request(url);
    expect(await answer.json()).toEqual({
      items: [{ ...entry, at: "1970-01-01T00:00:00.000Z" }],
      nextAfter: 7,
    });
    expect(asked).toEqual([["history", "order", "o-1", { after: 6, limit: 1 }]]);
  });

  it("names no next page when this one is not full", async () => {
    const { client } = scriptedClient({ history: async () => [entry] });
    const answer = await waybillRoutes(client).request(`${instances}/o-1/history`);
    expect(await answer.json()).not.toHaveProperty("nextAfter");
  });
});
