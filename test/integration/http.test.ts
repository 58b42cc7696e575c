import type { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assign, setup } from "xstate";
import { z } from "zod";
import { hello } from "../../machines/hello/workflow.ts";
import { waybillRoutes } from "../../src/http/routes.ts";
import { createEngine, defineWorkflow } from "../../src/index.ts";

const counter = setup({
  types: { context: {} as { sum: number }, events: {} as { type: "add" } },
}).createMachine({
  context: { sum: 0 },
  on: { add: { actions: assign({ sum: ({ context }) => context.sum + 1 }) } },
});
const counting = defineWorkflow({
  name: "counter",
  version: "1",
  machine: counter,
  events: { add: z.object({}) },
});
const engine = createEngine({ workflows: [hello, counting], broker: "memory:", store: "memory:" });
const page = z.object({
  items: z.array(z.object({ id: z.string(), state: z.literal("waiting") })),
  nextCursor: z.string().optional(),
});
const instances = "/workflows/hello/instances";
let app: Hono;

beforeAll(async () => {
  await engine.start();
  app = waybillRoutes(engine.client);
});

afterAll(async () => {
  await engine.stop();
});

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function write(path: string, body: unknown, { method = "POST", headers }: Sent = {}) {
  const json = { "content-type": "application/json", ...headers };
  return app.request(path, { method, headers: json, body: JSON.stringify(body) });
}

async function put(id: string): Promise<void> {
  const answer = await write(`${instances}/${id}`, { name: "Ada" }, { method: "PUT" });
  expect(answer.status).toBe(201);
}

describe("starting over HTTP", () => {
  it("answers 201 with what GET then shows under Location", async () => {
    const answer = await write(instances, { name: "Ada" });
    expect(answer.status).toBe(201);
    const started = await answer.json();
    expect(started).toMatchObject({
      workflow: "hello",
      status: "active",
      state: "waiting",
      accepts: ["hello.reply"],
      context: { name: "Ada" },
      timers: [{ due: expect.stringMatching(/^\d{4}-.*Z$/) }],
    });
    const found = await app.request(answer.headers.get("location") ?? "");
    expect(found.headers.get("etag")).toBe(answer.headers.get("etag"));
    expect(await found.json()).toEqual(started);
  });

  it("starts once for one idempotency key, whatever the order of the input's keys", async () => {
    const headers = { "idempotency-key": "once" };
    const first = await write(instances, { name: "Ada" }, { headers });
    const second = await write(instances, { name: "Ada" }, { headers });
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(await second.json()).toEqual(await first.json());
  });

  it("keeps the instance that exists, or refuses, as told", async () => {
    await put("kept");
    const again = (query: string) =>
      write(`${instances}/kept${query}`, { name: "Bob" }, { method: "PUT" });
    const kept = await again("");
    expect(kept.status).toBe(200);
    expect(await kept.json()).toMatchObject({ context: { name: "Ada" } });
    const refused = await again("?onConflict=reject");
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ code: "exists" });
  });

  it("points to the place where the input does not fit its schema", async () => {
    const answer = await write(instances, { name: 5 });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      code: "invalid-payload",
      errors: [{ pointer: "/name" }],
    });
  });

  it("answers async with an address that soon shows the instance", async () => {
    const headers = { prefer: "respond-async" };
    const answer = await write(instances, { name: "Ada" }, { headers });
    expect(answer.status).toBe(202);
    const location = answer.headers.get("location") ?? "";
    await expect.poll(async () => (await app.request(location)).status).toBe(200);
  });
});

describe("sending over HTTP", () => {
  const reply = { type: "hello.reply", words: "hi" };

  it("answers with the state after the event, and then refuses what comes too late", async () => {
    await put("answered");
    const sent = await write(`${instances}/answered/events`, reply);
    expect(sent.status).toBe(200);
    expect(await sent.json()).toMatchObject({ outcome: "applied", status: "done", timers: [] });
    const late = await write(`${instances}/answered/events`, reply);
    expect(late.status).toBe(409);
    expect(await late.json()).toMatchObject({ code: "ended" });
  });

  it("refuses an event that the state does not accept, and names what it does", async () => {
    await put("refusing");
    const answer = await write(`${instances}/refusing/events`, { type: "hello.again" });
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ code: "not-accepted", accepts: ["hello.reply"] });
  });

  it("applies one event once, however often its key comes", async () => {
    await write("/workflows/counter/instances/c", {}, { method: "PUT" });
    const headers = { "idempotency-key": "c-1" };
    const add = () => write("/workflows/counter/instances/c/events", { type: "add" }, { headers });
    expect(await (await add()).json()).toMatchObject({ outcome: "applied", context: { sum: 1 } });
    const again = await add();
    expect(again.status).toBe(200);
    expect(await again.json()).toMatchObject({ outcome: "duplicate", context: { sum: 1 } });
  });

  it("refuses an event for another version than the present one", async () => {
    await put("guarded");
    const url = `${instances}/guarded/events`;
    const refused = await write(url, reply, { headers: { "if-match": '"99"' } });
    expect(refused.status).toBe(412);
    const etag = (await app.request(`${instances}/guarded`)).headers.get("etag") ?? "";
    expect((await write(url, reply, { headers: { "if-match": etag } })).status).toBe(200);
  });

  it("says what an event would do, and does nothing", async () => {
    await put("dry");
    const answer = await write(`${instances}/dry/events?dryRun=true`, reply);
    expect(await answer.json()).toMatchObject({ accepted: true, state: "answered" });
    const after = await app.request(`${instances}/dry`);
    expect(await after.json()).toMatchObject({ state: "waiting" });
  });

  it.each([
    ["a type of the engine's", { type: "xstate.stop" }, 422, "reserved-type"],
    ["a payload against its schema", { type: "hello.reply", words: 5 }, 422, "invalid-payload"],
  ])("refuses %s", async (_what, event, status, code) => {
    const answer = await write(`${instances}/any/events`, event);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code });
  });

  it("knows no instance that was never started, no other workflow and no odd id", async () => {
    expect((await write(`${instances}/nobody/events`, reply)).status).toBe(404);
    expect((await write("/workflows/nothing/instances", {})).status).toBe(404);
    expect((await app.request(`${instances}/a%20b`)).status).toBe(400);
  });

  it("replaces the instance that exists only when told to", async () => {
    await put("replaced");
    const again = (query: string) =>
      write(`${instances}/replaced${query}`, { name: "Bob" }, { method: "PUT" });
    expect((await again("")).status).toBe(200);
    expect((await again("?onConflict=reject")).status).toBe(409);
    const replaced = await again("?onConflict=terminate-existing");
    expect(replaced.status).toBe(201);
    expect(await replaced.json()).toMatchObject({ context: { name: "Bob" } });
  });

  it("applies one event once, however often its key comes", async () => {
    await put("repeated");
    const headers = { "idempotency-key": "r-1" };
    await write(`${instances}/repeated/events`, reply, { headers });
    const again = await write(`${instances}/repeated/events`, reply, { headers });
    expect(again.status).toBe(200);
    expect(await again.json()).toMatchObject({ outcome: "duplicate", status: "done" });
  });
});

describe("waiting over HTTP", () => {
  it("answers as soon as the end is reached", async () => {
    await put("waited");
    const headers = { prefer: "wait=10" };
    const waiting = app.request(`${instances}/waited`, { headers });
    await write(`${instances}/waited/events`, { type: "hello.reply", words: "hi" });
    const answer = await waiting;
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ status: "done", state: "answered" });
  });

  it("answers 202 with the present state at the limit", async () => {
    const headers = { prefer: "wait=1" };
    const answer = await write(instances, { name: "Ada" }, { headers });
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ status: "active", state: "waiting" });
  });

  it("answers at once when the state is reached already", async () => {
    const headers = { prefer: "wait=10" };
    const answer = await write(`${instances}?until=state:waiting`, { name: "Ada" }, { headers });
    expect(answer.status).toBe(200);
  });
});

describe("looking over HTTP", () => {
  it("answers 304 until something happens", async () => {
    await put("cached");
    const etag = (await app.request(`${instances}/cached`)).headers.get("etag") ?? "";
    const look = () => app.request(`${instances}/cached`, { headers: { "if-none-match": etag } });
    expect((await look()).status).toBe(304);
    await write(`${instances}/cached/events`, { type: "hello.reply", words: "hi" });
    expect((await look()).status).toBe(200);
  });

  it("pages through a list, and filters it", async () => {
    await Promise.all(["p1", "p2", "p3"].map(put));
    const url = `${instances}?status=active&state=waiting&limit=2`;
    const first = page.parse(await (await app.request(url)).json());
    const cursor = encodeURIComponent(first.nextCursor ?? "");
    const second = page.parse(await (await app.request(`${url}&cursor=${cursor}`)).json());
    const ids = [...first.items, ...second.items].map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
    expect((await app.request(`${url}&cursor=nonsense`)).status).toBe(400);
  });

  it("tells the history in order", async () => {
    await put("told");
    await write(`${instances}/told/events`, { type: "hello.reply", words: "hi" });
    const history = await (await app.request(`${instances}/told/history`)).json();
    expect(history).toMatchObject({
      items: [
        { number: 1, state: "waiting" },
        { number: 2, type: "hello.reply", state: "answered" },
      ],
    });
  });

  it("shows the workflow with its schemas, and that it is ready", async () => {
    const view = await (await app.request("/workflows/hello")).json();
    expect(view).toMatchObject({
      name: "hello",
      input: { type: "object" },
      events: [{ type: "hello.reply", schema: { type: "object" } }],
    });
    await expect.poll(async () => (await app.request("/readyz")).status).toBe(200);
    expect(await (await app.request("/dead-letters")).json()).toEqual({ items: [] });
    expect(await (await app.request("/docs")).text()).toContain("hello.reply");
  });
});

describe("operating over HTTP", () => {
  it("suspends an instance, holds what comes, and plays it when it is resumed", async () => {
    await put("paused");
    const path = `${instances}/paused`;
    const suspended = await write(`${path}/suspend`, {});
    expect(suspended.headers.get("etag")).toBe('"2"');
    expect(await suspended.json()).toMatchObject({ status: "suspended", accepts: [] });
    expect((await write(`${path}/suspend`, {})).status).toBe(409);
    const held = await write(`${path}/events`, { type: "hello.reply", words: "hi" });
    expect(held.status).toBe(202);
    const resumed = await write(`${path}/resume`, {});
    expect(await resumed.json()).toMatchObject({ status: "done", state: "answered", version: 4 });
  });

  it("sends a dead letter again, or drops it", async () => {
    await put("over");
    await write(`${instances}/over/terminate`, {});
    const headers = { prefer: "respond-async", "idempotency-key": "late" };
    await write(`${instances}/over/events`, { type: "hello.reply", words: "hi" }, { headers });
    const letters = z.object({ items: z.array(z.object({ id: z.string(), redrives: z.int() })) });
    const list = async () => {
      const answer = await app.request("/dead-letters?workflow=hello&reason=ended");
      return letters.parse(await answer.json()).items;
    };
    await expect.poll(list).toMatchObject([{ redrives: 0 }]);
    const [first] = await list();
    expect((await write(`/dead-letters/${first?.id}/redrive`, {})).status).toBe(200);
    await expect.poll(list).toMatchObject([{ redrives: 1 }]);
    const [second] = await list();
    const drop = () => app.request(`/dead-letters/${second?.id}`, { method: "DELETE" });
    expect([(await drop()).status, (await drop()).status]).toEqual([200, 404]);
    expect(await list()).toEqual([]);
  });
});
