import { describe, expect, it } from "vitest";
import { waybillRoutes } from "../../../src/http/routes.ts";
import { scriptedClient, writing } from "./scripted-client.ts";

const letter = {
  id: "3-abc",
  messageId: "m-1",
  partition: 3,
  at: 0,
  reason: "not-accepted",
  detail: "…",
  body: "{}",
  redrives: 1,
} as const;

describe("the dead letters", () => {
  it("are listed page by page", async () => {
    const { client, asked } = scriptedClient({ deadLetters: async () => ({ items: [letter] }) });
    const app = waybillRoutes(client);
    const answer = await app.request("/dead-letters?limit=5&cursor=x");
    expect(await answer.json()).toEqual({
      items: [{ ...letter, at: "1970-01-01T00:00:00.000Z" }],
    });
    await app.request("/dead-letters?workflow=order&reason=ended");
    expect(asked).toEqual([
      ["deadLetters", { limit: 5, cursor: "x" }],
      ["deadLetters", { limit: 50, workflow: "order", reason: "ended" }],
    ]);
  });

  it("are sent again one by one", async () => {
    const { client, asked } = scriptedClient({ redriveDeadLetter: async () => undefined });
    const app = waybillRoutes(client);
    const answer = await app.request("/dead-letters/3-abc/redrive", writing({}));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ outcome: "redriven" });
    expect(asked).toEqual([["redriveDeadLetter", "3-abc"]]);
    expect((await app.request("/dead-letters/3-abc/redrive", { method: "POST" })).status).toBe(415);
  });

  it("are dropped one by one", async () => {
    const { client, asked } = scriptedClient({ dropDeadLetter: async () => undefined });
    const answer = await waybillRoutes(client).request("/dead-letters/3-abc", { method: "DELETE" });
    expect(await answer.json()).toEqual({ outcome: "dropped" });
    expect(asked).toEqual([["dropDeadLetter", "3-abc"]]);
  });

  it("are sent again by the hundred, up to a time", async () => {
    const outcome = { redriven: 2, refused: 1, more: false };
    const { client, asked } = scriptedClient({ redriveDeadLetters: async () => outcome });
    const body = { before: "1970-01-01T00:00:05Z", reason: "ended", workflow: "order", limit: 9 };
    const app = waybillRoutes(client);
    const answer = await app.request("/dead-letters/redrive", writing(body));
    expect(await answer.json()).toEqual(outcome);
    await app.request("/dead-letters/redrive", writing({ before: body.before }));
    expect(asked).toEqual([
      ["redriveDeadLetters", { before: 5_000, reason: "ended", workflow: "order", limit: 9 }],
      ["redriveDeadLetters", { before: 5_000 }],
    ]);
  });

  it.each([
    [{}, "/before"],
    [{ before: "yesterday" }, "/before"],
    [{ before: "2026-11-22T10:00:00Z", limit: 0 }, "/limit"],
    [{ before: "2026-11-22T10:00:00Z", all: true }, ""],
    [[], ""],
  ])("are not sent again when the request is %j", async (body, pointer) => {
    const answer = await waybillRoutes(scriptedClient({}).client).request(
      "/dead-letters/redrive",
      writing(body),
    );
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ code: "invalid-payload", errors: [{ pointer }] });
  });
});
