import { describe, expect, it } from "vitest";
import type { Health } from "../../../src/engine/client.ts";
import { waybillRoutes } from "../../../src/http/routes.ts";
import { scriptedClient } from "./scripted-client.ts";

describe("operations", () => {
  const health: Health = {
    ready: true,
    problems: [],
    warnings: [],
    findings: [],
    durability: "fsync",
    brokerDurability: "fsync",
    broker: "up",
    partitions: [
      {
        partition: 0,
        epoch: 2,
        owner: "p1",
        leaseUntil: 0,
        outboxEntries: 0,
        timers: 1,
        nextDue: 1_000,
        deadLetters: 0,
      },
    ],
    owned: [0],
  };

  it("is alive without asking the engine", async () => {
    const { client, asked } = scriptedClient({});
    expect((await waybillRoutes(client).request("/healthz")).status).toBe(200);
    expect(asked).toEqual([]);
  });

  it("is ready when the engine is", async () => {
    const { client } = scriptedClient({ health: async () => health });
    const answer = await waybillRoutes(client).request("/readyz");
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      durability: "fsync",
      partitions: [{ leaseUntil: "1970-01-01T00:00:00.000Z", nextDue: "1970-01-01T00:00:01.000Z" }],
    });
  });

  it("answers 503 with the reasons when the engine is not ready", async () => {
    const problems = ["broker: connection refused"];
    const { client } = scriptedClient({
      health: async () => ({ ...health, ready: false, problems }),
    });
    const answer = await waybillRoutes(client).request("/readyz");
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(await answer.json()).toMatchObject({ ready: false, problems });
  });
});
