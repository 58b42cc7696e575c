import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { answers, jsonAnswer, newRoutes, type Served, workflowParams } from "./route-parts.ts";
import { workflowSchema } from "./schemas.ts";

const listWorkflows = createRoute({
  method: "get",
  path: "/workflows",
  operationId: "listWorkflows",
  tags: ["Workflows"],
  summary: "List the workflows",
  responses: answers(
    {
      200: jsonAnswer("All workflows that are known", z.object({ items: z.array(workflowSchema) })),
    },
    ["unavailable"],
  ),
});

const getWorkflow = createRoute({
  method: "get",
  path: "/workflows/{workflow}",
  operationId: "getWorkflow",
  tags: ["Workflows"],
  summary: "Look at a workflow",
  description: "Its versions, states, and events with their JSON Schemas.",
  request: { params: workflowParams },
  responses: answers({ 200: jsonAnswer("The workflow", workflowSchema) }, [
    "unknown-workflow",
    "unavailable",
  ]),
});

/** The routes that show definitions. */
export function workflowRoutes({ client }: Served): OpenAPIHono {
  const routes = newRoutes();
  routes.openapi(listWorkflows, async (c) => c.json({ items: await client.workflows() }, 200));
  routes.openapi(getWorkflow, async (c) =>
    c.json(await client.workflow(c.req.valid("param").workflow), 200),
  );
  return routes;
}
