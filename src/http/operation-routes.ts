import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { healthJson } from "./answers.ts";
import { answers, jsonAnswer, newRoutes, type Served } from "./route-parts.ts";
import { healthSchema } from "./schemas.ts";

const healthz = createRoute({
  method: "get",
  path: "/healthz",
  operationId: "alive",
  tags: ["Operations"],
  summary: "Ask whether the process lives",
  responses: answers({ 200: jsonAnswer("It does", z.object({ alive: z.literal(true) })) }),
});

const readyz = createRoute({
  method: "get",
  path: "/readyz",
  operationId: "ready",
  tags: ["Operations"],
  summary: "Ask whether it can take work",
  responses: answers({
    200: jsonAnswer("It can", healthSchema),
    503: jsonAnswer("It cannot; `problems` says why", healthSchema, ["Retry-After"]),
  }),
});

/** The routes for those who run the process. */
export function operationRoutes({ client }: Served): OpenAPIHono {
  const routes = newRoutes();
  routes.openapi(healthz, (c) => c.json({ alive: true }, 200));
  routes.openapi(readyz, async (c) => {
    const health = await client.health();
    c.header("Cache-Control", "no-store");
    if (!health.ready) c.header("Retry-After", "1");
    return c.json(healthJson(health), health.ready ? 200 : 503);
  });
  return routes;
}
