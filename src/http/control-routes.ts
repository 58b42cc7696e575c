import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { instanceJson } from "./answers.ts";
import { etagOf } from "./etags.ts";
import { readJson } from "./json-body.ts";
import { passedOn } from "./passed-on.ts";
import type { ProblemCode } from "./problem-catalog.ts";
import {
  answers,
  bodyProblems,
  emptyBody,
  idempotencyKeyHeader,
  instanceParams,
  jsonAnswer,
  newRoutes,
  type Served,
} from "./route-parts.ts";
import { exampleInstance, instanceSchema } from "./schemas.ts";

type Control = "retry" | "terminate" | "suspend" | "resume";

interface Described {
  readonly summary: string;
  readonly description: string;
  /** Problems of its own. */
  readonly codes: readonly ProblemCode[];
  /** The instance afterwards, as far as the example differs from any other. */
  readonly example: Readonly<Partial<z.infer<typeof instanceSchema>>>;
}

const controls: Readonly<Record<Control, Described>> = {
  retry: {
    summary: "Retry a failed instance",
    description:
      "Plays what was held back since it failed, the event that threw first. It fails again when that throws again: look at `status` in the answer.",
    codes: ["not-failed", "needs-code", "migration-needed"],
    example: { version: 3 },
  },
  terminate: {
    summary: "Terminate an instance",
    description:
      "Ends it at once, without its exit actions. Timers and activities are called off, children end with it, what it held becomes dead letters, and the parent of a child is told of an error. To end a workflow in good order, send the event that it declares for that.",
    codes: [],
    example: { version: 2, status: "stopped", timers: [], accepts: [] },
  },
  suspend: {
    summary: "Suspend an instance",
    description:
      "Holds back events, timers and results, in order, until it is resumed. Activities that run already go on.",
    codes: ["suspended", "failed", "needs-code", "migration-needed"],
    example: { version: 2, status: "suspended", accepts: [] },
  },
  resume: {
    summary: "Resume a suspended instance",
    description: "Plays what was held back, in order.",
    codes: ["not-suspended", "needs-code", "migration-needed"],
    example: { version: 3 },
  },
};

/** The routes with which operators put instances right. */
export function controlRoutes(served: Served): OpenAPIHono {
  const { client } = served;
  const routes = newRoutes();
  for (const control of ["retry", "terminate", "suspend", "resume"] as const) {
    routes.openapi(routeOf(control), async (c) => {
      await readJson(c, served.bodyLimitBytes);
      const instance = await client[control]({ ...c.req.valid("param"), ...passedOn(c) });
      c.header("ETag", etagOf(instance));
      return c.json(instanceJson(instance), 200);
    });
  }
  return routes;
}

function routeOf(control: Control) {
  const { summary, description, codes, example } = controls[control];
  const answer = jsonAnswer("The instance after it", instanceSchema, ["ETag"]);
  const content = {
    "application/json": { schema: instanceSchema, example: { ...exampleInstance, ...example } },
  };
  return createRoute({
    method: "post",
    path: `/workflows/{workflow}/instances/{id}/${control}`,
    operationId: `${control}Instance`,
    tags: ["Operations"],
    summary,
    description,
    request: {
      params: instanceParams,
      headers: z.object({ "Idempotency-Key": idempotencyKeyHeader }),
      body: emptyBody,
    },
    responses: answers({ 200: { ...answer, content } }, [
      "invalid-header",
      "invalid-id",
      "unknown-workflow",
      "unknown-instance",
      "ended",
      ...codes,
      ...bodyProblems,
      "unavailable",
      "deadline",
    ]),
  });
}
