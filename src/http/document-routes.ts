import type { OpenAPIHono } from "@hono/zod-openapi";
import { type Context, Hono } from "hono";
import type { WorkflowView } from "../engine/client.ts";
import { mountOf } from "./problems.ts";
import { readDocument } from "./reference-document.ts";
import { referencePage } from "./reference-page.ts";
import { referenceScript } from "./reference-script.ts";
import { referenceStyle } from "./reference-style.ts";
import type { Served } from "./route-parts.ts";

const info = {
  title: "Waybill",
  version: "1",
  description: "Start durable workflows, send them events, and see what became of them.",
  license: { name: "MIT", identifier: "MIT" },
};

const tags = [
  { name: "Instances", description: "Start workflows and look at them." },
  { name: "Events", description: "Tell a running instance what happened." },
  { name: "Workflows", description: "The definitions this server runs." },
  { name: "Operations", description: "For those who keep it running." },
];

/**
 * The OpenAPI 3.1 document of `api`, and a reference page drawn from it. The page, its style and its script
 * come from here alone; nothing is asked of any other server.
 */
export function documentRoutes(api: OpenAPIHono, { client }: Served): Hono {
  const routes = new Hono();
  const documentFor = (c: Context) =>
    api.getOpenAPI31Document({
      openapi: "3.1.0",
      info,
      tags,
      servers: [{ url: mountOf(c) || "/" }],
    });

  routes.get("/openapi.json", (c) => c.json(documentFor(c), 200));
  routes.get("/docs", async (c) => {
    const mount = mountOf(c);
    const origin = new URL(c.req.url).origin + mount;
    // The page is of most use when the engine is in trouble, so it does without the workflows then.
    const workflows: readonly WorkflowView[] = await client.workflows().catch(() => []);
    return c.html(
      referencePage({ document: readDocument(documentFor(c)), workflows, mount, origin }),
    );
  });
  routes.get("/docs/style.css", (c) => text(c, "text/css", referenceStyle));
  routes.get("/docs/script.js", (c) => text(c, "text/javascript", referenceScript));
  return routes;
}

function text(c: Context, type: string, body: string): Response {
  return c.body(body, 200, {
    "Content-Type": `${type}; charset=utf-8`,
    "Cache-Control": "no-cache",
  });
}
