import { OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { Clock } from "../clock.ts";
import type { Client } from "../engine/client.ts";
import { type ProblemCode, problemKinds } from "./problem-catalog.ts";
import { refusal } from "./problems.ts";
import { problemSchema } from "./schemas.ts";

/** What the handlers work with. */
export interface Served {
  readonly client: Client;
  readonly clock: Clock;
  readonly bodyLimitBytes: number;
}

type Responses = RouteConfig["responses"];

/** The path of a workflow, and of one of its instances. */
export const workflowParams = z.object({
  workflow: z.string().openapi({ param: { description: "Its name" }, example: "order" }),
});
export const instanceParams = workflowParams.extend({
  id: z.string().openapi({
    param: { description: "1 to 128 of `A-Z a-z 0-9 . _ : -`" },
    example: "ada",
  }),
});

export const preferHeader = z
  .string()
  .optional()
  .openapi({
    param: {
      description:
        "RFC 7240: `wait=20` holds the answer for at most 20 s (up to 120); `respond-async` answers at once with 202",
    },
  });
export const idempotencyKeyHeader = z
  .string()
  .optional()
  .openapi({
    param: {
      description: "Makes the request repeatable: 1 to 255 visible ASCII characters",
    },
  });
export const untilParam = z
  .string()
  .optional()
  .openapi({
    param: {
      description:
        "What `Prefer: wait` waits for: `done` (default), `state:<name>` or `tag:<name>`",
    },
  });

/** The problems that any body can have. */
export const bodyProblems = [
  "malformed-json",
  "too-large",
  "unsupported-media-type",
  "invalid-payload",
] as const satisfies readonly ProblemCode[];

/** Nothing has to be said, but what changes something has to say that it is JSON. */
export const emptyBody = {
  description: "Nothing, or `{}`; the content type has to be JSON all the same",
  content: { "application/json": { schema: { type: "object" as const }, example: {} } },
};

/** The number of items of a page, 1 to 1000. */
export function limitParam(standard: number) {
  return z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(standard)
    .openapi({ param: { description: "The most items on a page" } });
}

/** A JSON answer for the document. */
export function jsonAnswer(description: string, schema: z.ZodType, headers?: readonly string[]) {
  const described = (headers ?? []).map((name) => [name, { schema: { type: "string" as const } }]);
  return {
    description,
    content: { "application/json": { schema } },
    ...(described.length > 0 && { headers: Object.fromEntries(described) }),
  };
}

/** The answers of a route for the document: its own, and its problems gathered by status. */
export function answers(own: Responses, codes: readonly ProblemCode[] = []): Responses {
  const byStatus = Map.groupBy(codes, (code) => problemKinds[code].status);
  const problems = [...byStatus].map(([status, kinds]) => [
    status,
    {
      description: kinds.map((code) => `\`${code}\`: ${problemKinds[code].title}.`).join(" "),
      content: { "application/problem+json": { schema: problemSchema } },
    },
  ]);
  return { ...own, ...Object.fromEntries(problems) };
}

/** An empty set of routes whose parameters are validated into problems. */
export function newRoutes(): OpenAPIHono {
  return new OpenAPIHono({
    defaultHook(result) {
      if (result.success) return;
      throw parameterRefusal(result.error.issues);
    },
  });
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
}

function parameterRefusal(issues: readonly Issue[]): Error {
  const errors = issues.flatMap(({ path, message, keys }) =>
    keys === undefined
      ? [{ parameter: path.join("."), detail: message }]
      : keys.map((parameter) => ({ parameter, detail: "is not a parameter of this request" })),
  );
  const names = errors.map(({ parameter, detail }) => `${parameter}: ${detail}`);
  return refusal("invalid-parameter", `${names.join("; ")}.`, errors);
}
