import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { deadLetterJson } from "./answers.ts";
import { asObject, readJson } from "./json-body.ts";
import { refusal } from "./problems.ts";
import {
  answers,
  bodyProblems,
  emptyBody,
  jsonAnswer,
  limitParam,
  newRoutes,
  type Served,
} from "./route-parts.ts";
import { deadLetterSchema, pageSchema, redrivenSchema, settledLetterSchema } from "./schemas.ts";

const text = (description: string) => z.string().optional().openapi({ param: { description } });

const listDeadLetters = createRoute({
  method: "get",
  path: "/dead-letters",
  operationId: "listDeadLetters",
  tags: ["Operations"],
  summary: "List the dead letters",
  description: "Messages that could not be handled, oldest first, each with its reason.",
  request: {
    query: z.strictObject({
      workflow: text("Only those that were for its instances"),
      reason: text("Only those with this reason, such as `not-accepted`"),
      limit: limitParam(50),
      cursor: text("`nextCursor` of the page before"),
    }),
  },
  responses: answers(
    { 200: jsonAnswer("A page of dead letters", pageSchema("DeadLetter", deadLetterSchema)) },
    ["invalid-parameter", "invalid-cursor", "unavailable"],
  ),
});

const letterParams = z.object({
  id: z
    .string()
    .openapi({ param: { description: "Its `id`" }, example: "5-Yk3cQ0uJ9mWm1JfZ0cAqLw" }),
});

const redriveOne = createRoute({
  method: "post",
  path: "/dead-letters/{id}/redrive",
  operationId: "redriveDeadLetter",
  tags: ["Operations"],
  summary: "Send a dead letter again",
  description:
    "The message goes to its instance under a new message id, `redrive:<id>:<n>`. When it is refused again, it is a dead letter again.",
  request: { params: letterParams, body: emptyBody },
  responses: answers({ 200: jsonAnswer("It is on its way", settledLetterSchema) }, [
    "unknown-dead-letter",
    "held",
    "not-redrivable",
    ...bodyProblems,
    "unavailable",
    "deadline",
  ]),
});

const dropOne = createRoute({
  method: "delete",
  path: "/dead-letters/{id}",
  operationId: "dropDeadLetter",
  tags: ["Operations"],
  summary: "Drop a dead letter",
  description:
    "The message is gone for good. When its instance has failed on it, the event leaves the line there as well, and a retry goes on with the next one.",
  request: { params: letterParams },
  responses: answers(
    {
      200: {
        description: "It is gone",
        content: {
          "application/json": { schema: settledLetterSchema, example: { outcome: "dropped" } },
        },
      },
    },
    ["unknown-dead-letter", "unavailable", "deadline"],
  ),
});

const redriveRequest = z.strictObject({
  before: z.iso.datetime({ offset: true }).transform((time) => Date.parse(time)),
  workflow: z.string().optional(),
  reason: z.string().optional(),
  limit: z.int().min(1).max(10_000).optional(),
});

const redriveMany = createRoute({
  method: "post",
  path: "/dead-letters/redrive",
  operationId: "redriveDeadLetters",
  tags: ["Operations"],
  summary: "Send many dead letters again",
  description:
    "Oldest first: those set aside before the time `before`, of one `workflow` or with one `reason` if given, `limit` at most (1000). Those with the reason `too-old` may have been applied long ago, so they are left, and counted as refused, unless that reason is given. What comes back is younger than that, so that nothing goes round in circles.",
  request: {
    body: {
      description: "Which ones; `before` has to be there",
      required: true,
      content: {
        "application/json": {
          schema: {
            type: "object" as const,
            required: ["before"],
            properties: {
              before: { type: "string" as const, format: "date-time" },
              workflow: { type: "string" as const },
              reason: { type: "string" as const },
              limit: { type: "integer" as const, minimum: 1, maximum: 10_000 },
            },
            additionalProperties: false,
          },
          example: { before: "2026-11-22T10:00:00Z", reason: "not-accepted" },
        },
      },
    },
  },
  responses: answers({ 200: jsonAnswer("What became of them", redrivenSchema) }, [
    ...bodyProblems,
    "unavailable",
    "deadline",
  ]),
});

/** The routes for what could not be handled. */
export function deadLetterRoutes(served: Served): OpenAPIHono {
  const { client, bodyLimitBytes } = served;
  const routes = newRoutes();
  routes.openapi(listDeadLetters, async (c) => {
    const { limit, ...filter } = c.req.valid("query");
    const page = await client.deadLetters({ limit, ...given(filter) });
    return c.json({ ...page, items: page.items.map(deadLetterJson) }, 200);
  });
  routes.openapi(redriveMany, async (c) => {
    const { before, limit, ...filter } = readRedrive(await readJson(c, bodyLimitBytes));
    const most = limit === undefined ? {} : { limit };
    return c.json(await client.redriveDeadLetters({ before, ...most, ...given(filter) }), 200);
  });
  routes.openapi(redriveOne, async (c) => {
    await readJson(c, bodyLimitBytes);
    await client.redriveDeadLetter(c.req.valid("param").id);
    return c.json({ outcome: "redriven" as const }, 200);
  });
  routes.openapi(dropOne, async (c) => {
    await client.dropDeadLetter(c.req.valid("param").id);
    return c.json({ outcome: "dropped" as const }, 200);
  });
  return routes;
}

/** Only what the caller has named. */
function given(filter: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function readRedrive(body: unknown): z.infer<typeof redriveRequest> {
  const read = redriveRequest.safeParse(asObject(body));
  if (read.success) return read.data;
  const errors = read.error.issues.map(({ path, message }) => ({
    pointer: path.map((part) => `/${String(part)}`).join(""),
    detail: message,
  }));
  throw refusal("invalid-payload", "The request does not say which dead letters.", errors);
}
