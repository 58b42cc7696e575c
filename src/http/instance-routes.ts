import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { ListRequest } from "../engine/client.ts";
import { historyJson, instanceJson } from "./answers.ts";
import { refusal } from "./problems.ts";
import {
  answers,
  instanceParams,
  jsonAnswer,
  limitParam,
  newRoutes,
  preferHeader,
  type Served,
  untilParam,
  workflowParams,
} from "./route-parts.ts";
import { historyPageSchema, instanceSchema, pageSchema } from "./schemas.ts";
import { answerInstance, readWish } from "./waiting.ts";

const attributePrefix = "attribute.";
const text = (description: string) => z.string().optional().openapi({ param: { description } });

const listQuery = z
  .object({
    status: text("`active`, `done`, `error`, `stopped`, `failed` or `suspended`"),
    state: text("A state it is in; nested ones joined by dots"),
    tag: text("A tag of its state"),
    stuck: z
      .literal("true")
      .optional()
      .openapi({ param: { description: "Only those that nothing known can move" } }),
    waiting: z
      .literal("true")
      .optional()
      .openapi({ param: { description: "Only those that keep events waiting" } }),
    "attribute.<name>": text("A search attribute; one parameter for each"),
    updatedAfter: z.iso
      .datetime({ offset: true })
      .or(z.iso.date())
      .optional()
      .openapi({ param: { description: "Only those written after this time (ISO 8601)" } }),
    limit: limitParam(50),
    cursor: text("`nextCursor` of the page before"),
  })
  .catchall(z.string());

type ListQuery = z.infer<typeof listQuery>;

const listInstances = createRoute({
  method: "get",
  path: "/workflows/{workflow}/instances",
  operationId: "listInstances",
  tags: ["Instances"],
  summary: "List instances",
  description: "Newest first. Every filter given has to hold.",
  request: { params: workflowParams, query: listQuery },
  responses: answers(
    { 200: jsonAnswer("A page of instances", pageSchema("Instance", instanceSchema)) },
    ["invalid-parameter", "invalid-cursor", "unknown-workflow", "unavailable"],
  ),
});

const getInstance = createRoute({
  method: "get",
  path: "/workflows/{workflow}/instances/{id}",
  operationId: "getInstance",
  tags: ["Instances"],
  summary: "Look at an instance, or wait for it",
  request: {
    params: instanceParams,
    query: z.strictObject({ until: untilParam }),
    headers: z.object({
      "If-None-Match": text("An ETag: answer 304 when nothing changed"),
      Prefer: preferHeader,
    }),
  },
  responses: answers(
    {
      200: jsonAnswer("The instance", instanceSchema, ["ETag"]),
      202: jsonAnswer("Not reached when the wait ended", instanceSchema, ["ETag"]),
      304: { description: "It still has the version of If-None-Match" },
    },
    ["invalid-parameter", "invalid-id", "unknown-workflow", "unknown-instance", "unavailable"],
  ),
});

const getHistory = createRoute({
  method: "get",
  path: "/workflows/{workflow}/instances/{id}/history",
  operationId: "getHistory",
  tags: ["Instances"],
  summary: "Read what happened to an instance",
  description: "In order, oldest first.",
  request: {
    params: instanceParams,
    query: z.strictObject({
      after: z.coerce
        .number()
        .int()
        .min(0)
        .default(0)
        .openapi({ param: { description: "`nextAfter` of the page before" } }),
      limit: limitParam(100),
    }),
  },
  responses: answers({ 200: jsonAnswer("A page of its history", historyPageSchema) }, [
    "invalid-parameter",
    "invalid-id",
    "unknown-workflow",
    "unknown-instance",
    "unavailable",
  ]),
});

/** The routes that look at instances. */
export function instanceRoutes(served: Served): OpenAPIHono {
  const { client } = served;
  const routes = newRoutes();
  routes.openapi(listInstances, async (c) => {
    const request = listRequest(c.req.valid("param").workflow, c.req.valid("query"));
    const page = await client.list(request);
    return c.json({ ...page, items: page.items.map(instanceJson) }, 200);
  });
  routes.openapi(getInstance, async (c) => {
    const { workflow, id } = c.req.valid("param");
    const wish = readWish(c, served.clock, c.req.valid("query").until);
    const instance = await client.get(workflow, id);
    return answerInstance(c, served, wish, { instance, status: 200 });
  });
  routes.openapi(getHistory, async (c) => {
    const { workflow, id } = c.req.valid("param");
    const { after, limit } = c.req.valid("query");
    const entries = await client.history(workflow, id, { after, limit });
    const last = entries.length < limit ? undefined : entries.at(-1);
    return c.json({ items: entries.map(historyJson), nextAfter: last?.number }, 200);
  });
  return routes;
}

function listRequest(workflow: string, query: ListQuery): ListRequest {
  const { status, state, tag, stuck, waiting, updatedAfter, limit, cursor, ...others } = query;
  const attributes = attributesIn(others);
  return {
    workflow,
    limit,
    ...(status !== undefined && { status }),
    ...(state !== undefined && { state }),
    ...(tag !== undefined && { tag }),
    ...(stuck !== undefined && { stuck: true }),
    ...(waiting !== undefined && { waiting: true }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
    ...(updatedAfter !== undefined && { updatedAfter: Date.parse(updatedAfter) }),
    ...(cursor !== undefined && { cursor }),
  };
}

function attributesIn(others: Readonly<Record<string, string | undefined>>) {
  const attributes: Record<string, string> = {};
  for (const [parameter, value] of Object.entries(others)) {
    const name = parameter.slice(attributePrefix.length);
    if (!parameter.startsWith(attributePrefix) || name === "") {
      const detail = "is not a parameter of this request";
      throw refusal("invalid-parameter", `${parameter} ${detail}.`, [{ parameter, detail }]);
    }
    if (value !== undefined) attributes[name] = value;
  }
  return attributes;
}
