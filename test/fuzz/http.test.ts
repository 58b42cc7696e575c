import * as fc from "fast-check";
import type { Hono } from "hono";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hello } from "../../machines/hello/workflow.ts";
import { waybillRoutes } from "../../src/http/routes.ts";
import { createEngine } from "../../src/index.ts";
import { Documented, type Operation } from "../support/documented.ts";
import { firstSeed, runs } from "../support/fuzz-budget.ts";
import { anyBody, anyHeaders, anySegment } from "../support/hostile.ts";
import { keeper } from "../support/keeper.ts";

const engine = createEngine({ workflows: [hello, keeper], broker: "memory:", store: "memory:" });
const unexpected: unknown[] = [];
let app: Hono;
let started = 0;
let documented: Documented;

/** Longer than any of these may take, however busy the machine is. */
const longestMs = 60_000;

beforeAll(async () => {
  await engine.start();
  app = waybillRoutes(engine.client, { reportError: (error) => unexpected.push(error) });
  documented = new Documented(await (await app.request("/openapi.json")).json());
  await start("hello", "one");
  await start("keeper", "one");
});

afterAll(() => engine.stop());

const wanted = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom("keep", "keep", "keep", "end", "odd", "xstate.init"),
      more: fc.jsonValue(),
    }),
  },
  fc.dictionary(fc.constantFrom("name", "words", "type", "__proto__"), fc.jsonValue()),
  fc.constant({ before: "2026-01-01T00:00:00Z" }),
  fc.constant({}),
);
const asked = fc.record({
  workflow: mostly("keeper", "keeper", "hello"),
  id: mostly("fresh", "fresh", "one", "new"),
  query: fc.oneof(
    { weight: 2, arbitrary: fc.constant<[number, string][]>([]) },
    fc.array(fc.tuple(fc.nat(), anySegment), { maxLength: 2 }),
  ),
  headers: anyHeaders,
  body: anyBody(wanted),
});

function mostly(...usual: readonly string[]) {
  return fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...usual) }, anySegment);
}

test("no request of any route is answered with other than what its document says", async () => {
  const { operations } = documented;
  expect(operations.length).toBeGreaterThan(12);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...operations), asked, async (operation, request) => {
      const { id } = request;
      const found = { ...request, id: id === "fresh" ? await freshInstance() : id };
      const answer = await ask(operation.method, urlOf(operation, found), request);
      if (answer === undefined) return;
      const { at, ...said } = answer;
      if (isNowhere(at, said.text)) return;
      expect(documented.faults(operation, said), at).toEqual([]);
    }),
    { numRuns: runs(1_500), seed: firstSeed },
  );
  expect(unexpected).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test("no method and no path makes it fail", async () => {
  const methods = fc.constantFrom(
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "PURGE",
  );
  const paths = fc
    .array(
      fc.oneof(
        anySegment,
        fc.constantFrom("workflows", "instances", "dead-letters", "docs", "problems"),
      ),
      { maxLength: 6 },
    )
    .map((parts) => `/${parts.join("/")}`);
  await fc.assert(
    fc.asyncProperty(methods, paths, asked, async (method, path, request) => {
      const answer = await ask(method, path, request);
      expect(answer === undefined ? 404 : answer.status, path).toBeLessThan(500);
    }),
    { numRuns: runs(500), seed: firstSeed },
  );
  expect(unexpected).toEqual([]);
});

/** An instance that nobody has sent anything to. */
async function freshInstance(): Promise<string> {
  started += 1;
  await start("keeper", `fresh-${started}`);
  return `fresh-${started}`;
}

async function start(workflow: string, id: string): Promise<void> {
  await engine.client.start({ workflow, id, input: { name: "Ada" } });
}

type Asked = typeof asked extends fc.Arbitrary<infer Value> ? Value : never;

/** The path with any parts in its places, and any values for its parameters and for some that it has not. */
function urlOf({ path, query }: Operation, { workflow, id, query: given }: Asked): string {
  const filled = path.replace("{workflow}", workflow).replace("{id}", id);
  const known = [
    ...query,
    ...query,
    "attribute.name",
    "attribute.__proto__",
    "unknown",
    "__proto__",
  ];
  const parameters = given.map(([at, value]) => `${known[at % known.length]}=${value}`);
  return parameters.length === 0 ? filled : `${filled}?${parameters.join("&")}`;
}

async function ask(method: string, path: string, { headers, body }: Asked) {
  const hasBody = method !== "GET" && method !== "HEAD";
  const request = new Request(`http://localhost${path}`, {
    method,
    headers,
    ...(hasBody && { body }),
  });
  const startedAt = performance.now();
  const answer = await app.request(request);
  const text = await answer.text();
  expect(performance.now() - startedAt, `${method} ${path}`).toBeLessThan(longestMs);
  const type = answer.headers.get("content-type") ?? "";
  return { at: `${method} ${path}`, status: answer.status, type, text };
}

/** A part with a slash, or with none left, leads to another route or to none. */
function isNowhere(at: string, text: string): boolean {
  return (
    /"code":"(not-found|method-not-allowed)"/.test(text) || at.includes("/..") || at.includes("//")
  );
}
