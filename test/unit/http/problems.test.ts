import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { WaybillError } from "../../../src/errors.ts";
import { problemKinds } from "../../../src/http/problem-catalog.ts";
import { waybillRoutes } from "../../../src/http/routes.ts";
import { order, scriptedClient, writing } from "./scripted-client.ts";

const start = "/workflows/order/instances";
const events = `${start}/o-1/events`;

function refusing(code: string, details: Readonly<Record<string, unknown>> = {}) {
  const send = () =>
    Promise.reject(
      new WaybillError({
        code,
        message: "It is so.",
        action: "Do this.",
        retryable: true,
        details,
      }),
    );
  return waybillRoutes(scriptedClient({ send }).client);
}

describe("a refusal by the engine", () => {
  it.each([
    ["unknown-workflow", 404],
    ["unknown-instance", 404],
    ["invalid-id", 400],
    ["invalid-payload", 422],
    ["reserved-type", 422],
    ["not-accepted", 409],
    ["exists", 409],
    ["ended", 409],
    ["failed", 409],
    ["not-failed", 409],
    ["suspended", 409],
    ["not-suspended", 409],
    ["held", 409],
    ["not-redrivable", 409],
    ["unknown-dead-letter", 404],
    ["version-mismatch", 412],
    ["too-large", 413],
    ["overloaded", 429],
    ["unavailable", 503],
    ["deadline", 504],
    ["invalid-cursor", 400],
    ["too-old", 409],
    ["event-threw", 500],
    ["migration-needed", 500],
    ["corrupt-record", 500],
    ["needs-code", 503],
  ] as const)("with code %s is a problem with status %i", async (code, status) => {
    const answer = await refusing(code).request(events, writing({ type: "x" }));
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toEqual({
      type: `/problems/${code}`,
      title: problemKinds[code].title,
      status,
      detail: "It is so.",
      code,
      action: "Do this.",
      retryable: true,
    });
  });

  it("tells its details beside the standard members, which they cannot replace", async () => {
    const details = { accepts: ["order.cancel"], state: "paid", status: 200, type: "mine" };
    const answer = await refusing("not-accepted", details).request(events, writing({ type: "x" }));
    expect(await answer.json()).toMatchObject({
      type: "/problems/not-accepted",
      status: 409,
      accepts: ["order.cancel"],
      state: "paid",
    });
  });

  it.each(["overloaded", "unavailable"])("with code %s says when to come again", async (code) => {
    const write = writing({ type: "x" });
    expect((await refusing(code).request(events, write)).headers.get("retry-after")).toBe("1");
    const later = await refusing(code, { retryAfterMs: 2_001 }).request(events, write);
    expect(later.headers.get("retry-after")).toBe("3");
  });

  it("lists every single problem", async () => {
    const problems = ["one", "two"];
    const error = new WaybillError({ code: "exists", message: "m", action: "a", problems });
    const { client } = scriptedClient({ send: () => Promise.reject(error) });
    const app = waybillRoutes(client);
    const answer = await app.request(events, writing({ type: "x" }));
    expect(await answer.json()).toMatchObject({ errors: [{ detail: "one" }, { detail: "two" }] });
  });

  it("prefers problems with a pointer to the same ones without", async () => {
    const error = new WaybillError({
      code: "invalid-payload",
      message: "m",
      action: "a",
      problems: ["/name: must be text"],
      details: { errors: [{ pointer: "/name", detail: "must be text" }] },
    });
    const { client } = scriptedClient({ send: () => Promise.reject(error) });
    const answer = await waybillRoutes(client).request(events, writing({ type: "x" }));
    const { errors } = z.object({ errors: z.array(z.unknown()) }).parse(await answer.json());
    expect(errors).toEqual([{ pointer: "/name", detail: "must be text" }]);
  });
});

describe("an error without a name", () => {
  it.each([
    ["an Error", new Error("secret at /home/me/x.ts")],
    [
      "a WaybillError of another kind",
      new WaybillError({ code: "odd", message: "secret", action: "" }),
    ],
  ])("answers 500 for %s, tells nothing of it, and reports it", async (_what, error) => {
    const reported: unknown[] = [];
    const { client } = scriptedClient({ send: () => Promise.reject(error) });
    const app = waybillRoutes(client, { reportError: (thrown) => reported.push(thrown) });
    const answer = await app.request(events, writing({ type: "x" }));
    expect(answer.status).toBe(500);
    const text = await answer.text();
    expect(text).toContain('"code":"internal"');
    expect(text).not.toContain("secret");
    expect(reported).toEqual([error]);
  });
});

describe("a request that cannot be read", () => {
  const app = waybillRoutes(scriptedClient({}).client, { bodyLimitBytes: 16 });

  it.each([
    ["text that is not JSON", "{oops"],
    ["bytes that are not UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
  ])("is 400 malformed-json for %s", async (_what, body) => {
    const answer = await app.request(start, { ...writing({}), body });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: "malformed-json" });
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonp"])(
    "is 415 for %s",
    async (type) => {
      const answer = await app.request(start, writing({}, { "content-type": type }));
      expect(answer.status).toBe(415);
      expect(await answer.json()).toMatchObject({ code: "unsupported-media-type" });
    },
  );

  it("is 415 for an empty body without a content type", async () => {
    expect((await app.request(start, { method: "POST" })).status).toBe(415);
  });

  it("is 413 when it is larger than declared sizes may be", async () => {
    const answer = await app.request(start, writing({}, { "content-length": "17" }));
    expect(answer.status).toBe(413);
  });

  it("is 413 when it grows too large without a declared size", async () => {
    const answer = await app.request(start, writing({ text: "0123456789" }));
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ code: "too-large" });
  });

  it.each(["two words", "ü", "x".repeat(256)])("is 400 for the idempotency key %j", async (key) => {
    // An undici Headers object takes Latin-1 only, which is what the wire has.
    const answer = await app.request(start, writing({}, { "idempotency-key": key }));
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ errors: [{ header: "Idempotency-Key" }] });
  });
});

describe("an address", () => {
  const app = waybillRoutes(scriptedClient({ get: async () => order }).client);

  it("that does not exist is a 404 problem", async () => {
    const answer = await app.request("/nowhere");
    expect(answer.status).toBe(404);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  });

  it("that exists with other methods is a 405 problem that names them", async () => {
    const answer = await app.request(`${start}/o-1`, { method: "DELETE" });
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe("GET, HEAD, PUT");
  });

  it.each(Object.keys(problemKinds))("explains the problem %s", async (code) => {
    const answer = await app.request(`/problems/${code}`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ code });
  });

  it("explains a problem to a browser as a page", async () => {
    const headers = { accept: "text/html,*/*" };
    const answer = await app.request("/problems/ended", { headers });
    expect(answer.headers.get("content-type")).toContain("text/html");
    expect(await answer.text()).toContain("The instance has ended");
  });

  it("does not explain a problem that there is not", async () => {
    expect((await app.request("/problems/toString")).status).toBe(404);
  });
});

describe("mounted below a path", () => {
  const { client } = scriptedClient({
    start: async () => ({ outcome: "created", instance: order }),
    workflows: async () => [],
  });
  const app = new Hono().route("/wf", waybillRoutes(client));
  app.get("/mine", (c) => c.text("mine"));

  it("gives links below that path", async () => {
    const answer = await app.request(`/wf${start}`, writing({}));
    expect(answer.headers.get("location")).toBe("/wf/workflows/order/instances/o-1");
    const document = await (await app.request("/wf/openapi.json")).json();
    expect(document).toMatchObject({ servers: [{ url: "/wf" }] });
    expect(await (await app.request("/wf/docs")).text()).toContain('href="/wf/docs/style.css"');
  });

  it("gives problems whose type resolves", async () => {
    const problem = await (await app.request("/wf/nowhere")).json();
    expect(problem).toMatchObject({ type: "/wf/problems/not-found" });
    expect((await app.request("/wf/problems/not-found")).status).toBe(200);
    const refused = await (await app.request(`/wf${start}`, { method: "POST" })).json();
    expect(refused).toMatchObject({ type: "/wf/problems/unsupported-media-type" });
  });

  it("leaves the app around it alone", async () => {
    const answer = await app.request("/mine");
    expect(await answer.text()).toBe("mine");
    expect(answer.headers.get("content-security-policy")).toBeNull();
    expect(await (await app.request("/other")).text()).toBe("404 Not Found");
  });
});
