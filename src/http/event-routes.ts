import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { SendRequest, SendResult } from "../engine/client.ts";
import { versionFrom } from "./etags.ts";
import { asObject, readJson } from "./json-body.ts";
import { passedOn } from "./passed-on.ts";
import { refusal } from "./problems.ts";
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
} from "./route-parts.ts";
import { dryRunSchema, sentSchema } from "./schemas.ts";
import { answerAccepted, answerInstance, readWish } from "./waiting.ts";

const postEvent = createRoute({
  method: "post",
  path: "/workflows/{workflow}/instances/{id}/events",
  operationId: "sendEvent",
  tags: ["Events"],
  summary: "Send an event",
  description:
    "The answer comes once the event is handled and committed. With `?dryRun=true` nothing is done: the answer says what would be.",
  request: {
    params: instanceParams,
    query: z.strictObject({
      dryRun: z
        .enum(["true", "false"])
        .default("false")
        .openapi({ param: { description: "Only say what the event would do" } }),
      until: untilParam,
    }),
    headers: z.object({
      "Idempotency-Key": idempotencyKeyHeader,
      "If-Match": z
        .string()
        .optional()
        .openapi({
          param: {
            description: "An ETag of the instance: refuse if its version is another by then",
          },
        }),
      Prefer: preferHeader,
    }),
    body: {
      description: "The event: its `type`, and its payload beside it",
      required: true,
      content: {
        "application/json": {
          schema: {
            type: "object",
            required: ["type"],
            properties: { type: { type: "string" } },
            additionalProperties: true,
          },
          example: { type: "hello.reply", words: "Good day!" },
        },
      },
    },
  },
  responses: answers(
    {
      200: jsonAnswer(
        "Handled, with the instance after it; or what the event would do (`dryRun`)",
        sentSchema.or(dryRunSchema),
        ["ETag"],
      ),
      202: jsonAnswer(
        "Deferred, held back, parked, or taken in (`respond-async`); or not reached when the wait ended",
        sentSchema,
        ["ETag", "Preference-Applied"],
      ),
    },
    [
      "invalid-parameter",
      "invalid-header",
      "invalid-id",
      "unknown-workflow",
      "unknown-instance",
      "not-accepted",
      "ended",
      "failed",
      "version-mismatch",
      ...bodyProblems,
      "reserved-type",
      "overloaded",
      "unavailable",
      "deadline",
    ],
  ),
});

/** The route that sends events, for real or as a dry run. */
export function eventRoutes(served: Served): OpenAPIHono {
  const { client } = served;
  const routes = newRoutes();
  routes.openapi(postEvent, async (c) => {
    const { dryRun, until } = c.req.valid("query");
    const wish = readWish(c, served.clock, until);
    const body = await readJson(c, served.bodyLimitBytes);
    const request = { ...c.req.valid("param"), ...eventIn(body), ...conditionsOf(c) };
    if (dryRun === "true") return c.json(await client.dryRun(request), 200);
    if (wish.preference.respondAsync)
      return answerAccepted(c, wish, await client.sendAsync(request));
    const { outcome, instance } = await client.send(request);
    // What was parked waits for an operator, so no state would ever come of it.
    if (instance === undefined || outcome === "parked") {
      return answerAccepted(c, wish, { outcome });
    }
    return answerInstance(c, served, wish, { instance, outcome, status: statusOf(outcome) });
  });
  return routes;
}

function eventIn(body: unknown): Pick<SendRequest, "type" | "payload"> {
  const { type, ...payload } = asObject(body);
  if (typeof type === "string" && type !== "") return { type, payload };
  throw refusal("invalid-payload", "The event has no type.", [
    { pointer: "/type", detail: "must be a string that is not empty" },
  ]);
}

function conditionsOf(c: Context): Omit<SendRequest, "workflow" | "id" | "type" | "payload"> {
  const ifVersion = versionFrom(c.req.header("if-match"));
  return { ...passedOn(c), ...(ifVersion !== undefined && { ifVersion }) };
}

function statusOf(outcome: SendResult["outcome"]): 200 | 202 {
  return outcome === "applied" || outcome === "duplicate" || outcome === "ignored" ? 200 : 202;
}
