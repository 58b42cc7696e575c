import { describe, expect, it } from "vitest";
import type { WorkflowView } from "../../../src/engine/client.ts";
import { waybillRoutes } from "../../../src/http/routes.ts";
import { scriptedClient } from "./scripted-client.ts";

describe("GET workflows", () => {
  const view: WorkflowView = {
    name: "order",
    versions: ["1"],
    states: ["paid"],
    startedBy: ["order.placed"],
    events: [{ type: "order.cancel", schema: { type: "object" } }],
    emits: [],
    counts: { "status:active": 2 },
  };

  it("lists them all, and shows one", async () => {
    const { client } = scriptedClient({
      workflows: async () => [view],
      workflow: async () => view,
    });
    const app = waybillRoutes(client);
    expect(await (await app.request("/workflows")).json()).toEqual({ items: [view] });
    expect(await (await app.request("/workflows/order")).json()).toEqual(view);
  });
});
