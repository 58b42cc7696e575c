import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { StartRequest } from "../engine/client.ts";
import { readJson } from "./json-body.ts";
import { passedOn } from "./passed-on.ts";
import { mountOf } from "./problems.ts";
import {
  answers,
  bodyProblems,
  idempotencyKeyHeader,
  instanceParams,
  jsonAnswer,
  newRoutes,
  preferHeader,
  type Served,
  untilParam,
  workflowParams,
} from "./route-parts.ts";
import { acceptedStartSchema, instanceSchema } from "./schemas.ts";
import { answerAccepted, answerInstance, readWish, type Wish } from "./waiting.ts";

const startAnswers = answers(
  {
    201: jsonAnswer("Started", instanceSchema, ["Location", "ETag"]),
    200: jsonAnswer("It exists already, or what was waited for is reached", instanceSchema, [
      "Location",
      "ETag",
    ]),
    202: jsonAnswer(
      "Taken in (`respond-async`), or not reached when the wait ended: then with the instance",
      acceptedStartSchema.or(instanceSchema),
      ["Location", "Preference-Applied"],
    ),
  },
  [
    "invalid-parameter",
    "invalid-header",
    "invalid-id",
    "unknown-workflow",
    "exists",
    ...bodyProblems,
    "overloaded",
    "unavailable",
    "deadline",
  ],
);

const inputBody = {
  description: "The workflow's input",
  required: true,
  content: { "application/json": { schema: {}, example: { name: "Ada" } } },
};

const startHeaders = z.object({
  "Idempotency-Key": idempotencyKeyHeader,
  Prefer: preferHeader,
});

const postInstance = createRoute({
  method: "post",
  path: "/workflows/{workflow}/instances",
  operationId: "startInstance",
  tags: ["Instances"],
  summary: "Start an instance",
  description:
    "The id is what the workflow derives from the input, else from the `Idempotency-Key`, else new. Repeating a start with the same id and the same input answers with the instance that is there.",
  request: {
    params: workflowParams,
    query: z.strictObject({ until: untilParam }),
    headers: startHeaders,
    body: inputBody,
  },
  responses: startAnswers,
});

const putInstance = createRoute({
  method: "put",
  path: "/workflows/{workflow}/instances/{id}",
  operationId: "startInstanceWithId",
  tags: ["Instances"],
  summary: "Start an instance with an id of your own",
  description: "A running instance is never reset unless `terminate-existing` says so.",
  request: {
    params: instanceParams,
    query: z.strictObject({
      onConflict: z
        .enum(["reject", "use-existing", "terminate-existing"])
        .default("use-existing")
        .openapi({ param: { description: "What to do when the id exists" } }),
      until: untilParam,
    }),
    headers: startHeaders,
    body: inputBody,
  },
  responses: startAnswers,
});

/** The routes that start instances. */
export function startRoutes(served: Served): OpenAPIHono {
  const routes = newRoutes();
  routes.openapi(postInstance, async (c) => {
    const wish = readWish(c, served.clock, c.req.valid("query").until);
    const input = await readJson(c, served.bodyLimitBytes);
    return start(c, served, wish, { ...c.req.valid("param"), input, ...passedOn(c) });
  });
  routes.openapi(putInstance, async (c) => {
    const { until, onConflict } = c.req.valid("query");
    const wish = readWish(c, served.clock, until);
    const input = await readJson(c, served.bodyLimitBytes);
    return start(c, served, wish, { ...c.req.valid("param"), input, onConflict, ...passedOn(c) });
  });
  return routes;
}

async function start(
  c: Context,
  served: Served,
  wish: Wish,
  request: StartRequest,
): Promise<Response> {
  if (wish.preference.respondAsync) {
    const accepted = await served.client.startAsync(request);
    c.header("Location", instancePath(c, request.workflow, accepted.id));
    return answerAccepted(c, wish, accepted);
  }
  const { outcome, instance } = await served.client.start(request);
  c.header("Location", instancePath(c, instance.workflow, instance.id));
  return answerInstance(c, served, wish, { instance, status: outcome === "created" ? 201 : 200 });
}

function instancePath(c: Context, workflow: string, id: string): string {
  const path = `/workflows/${encodeURIComponent(workflow)}/instances/${encodeURIComponent(id)}`;
  return mountOf(c) + path;
}
