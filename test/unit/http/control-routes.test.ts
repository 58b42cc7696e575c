import { describe, expect, it } from "vitest";
import { waybillRoutes } from "../../../src/http/routes.ts";
import { order, scriptedClient, writing } from "./scripted-client.ts";

const path = "/workflows/order/instances/o-1";
const answer = async () => ({ ...order, version: 4 });

describe.each(["retry", "terminate", "suspend", "resume"] as const)("POST …/%s", (control) => {
  it("asks for it under the caller's key, and answers with the instance after it", async () => {
    const { client, asked } = scriptedClient({ [control]: answer });
    const headers = { "idempotency-key": "k-1" };
    const response = await waybillRoutes(client).request(
      `${path}/${control}`,
      writing({}, headers),
    );
    expect(response.status).toBe(200);
    expect(response.headers.get("etag")).toBe('"4"');
    expect(await response.json()).toMatchObject({
      id: "o-1",
      version: 4,
      updatedAt: "1970-01-01T00:00:01.000Z",
    });
    const request = { workflow: "order", id: "o-1", idempotencyKey: "k-1" };
    expect(asked).toEqual([[control, request]]);
  });

  it("has to say that it is JSON, so that no page of another site can send it", async () => {
    const { client, asked } = scriptedClient({ [control]: answer });
    const app = waybillRoutes(client);
    expect((await app.request(`${path}/${control}`, { method: "POST" })).status).toBe(415);
    expect(asked).toEqual([]);
    expect((await app.request(`${path}/${control}`, writing(""))).status).toBe(200);
  });
});
