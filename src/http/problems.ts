import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { basePath } from "hono/route";
import { WaybillError } from "../errors.ts";
import { isProblemCode, type ProblemCode, problemKinds } from "./problem-catalog.ts";

/** One thing that is wrong with a request: where, and what. */
export interface RequestFault {
  /** JSON Pointer (RFC 6901) into the body; "" is the whole of it. */
  readonly pointer?: string;
  readonly parameter?: string;
  readonly header?: string;
  readonly detail: string;
}

/** A refusal made by the HTTP interface itself. */
export function refusal(
  code: ProblemCode,
  message: string,
  errors: readonly RequestFault[] = [],
): WaybillError {
  return new WaybillError({
    code,
    message,
    action: problemKinds[code].action,
    details: errors.length === 0 ? {} : { errors },
  });
}

/**
 * The problem that stands for what was thrown (RFC 9457): the standard members, `code`, `action`, `retryable`,
 * the single `errors`, and the error's own details. Of errors without a kind nothing is told.
 * `mount` is the path that the problem pages are under.
 */
export function problemResponse(thrown: unknown, mount: string): Response {
  const { code, error } = kindOf(thrown);
  const { title, status } = problemKinds[code];
  const { message, action, retryable, problems, details } = error;
  const standard = {
    type: `${mount}/problems/${code}`,
    title,
    status,
    detail: message,
    code,
    action,
    retryable,
  };
  const errors = problems.map((problem) => ({ detail: problem }));
  // The standard members stand twice, so that they come first and details cannot replace them.
  const body = { ...standard, ...(errors.length > 0 && { errors }), ...details, ...standard };
  const headers = new Headers({ "content-type": "application/problem+json" });
  if (status === 429 || status === 503) headers.set("retry-after", retryAfterSeconds(details));
  if (typeof details["allow"] === "string") headers.set("allow", details["allow"]);
  return new Response(JSON.stringify(body), { status, headers });
}

/** The path that the routes are mounted at, without a slash at its end. */
export function mountOf(c: Context): string {
  return basePath(c).replace(/\/$/, "");
}

/** True when the error has no kind of its own, so that the server's log should have it. */
export function isUnexpected(thrown: unknown): boolean {
  return kindOf(thrown).code === "internal";
}

function kindOf(thrown: unknown): { readonly code: ProblemCode; readonly error: WaybillError } {
  if (thrown instanceof WaybillError && isProblemCode(thrown.code)) {
    return { code: thrown.code, error: thrown };
  }
  const code = thrown instanceof HTTPException ? codeByStatus.get(thrown.status) : undefined;
  const known = code ?? "internal";
  return { code: known, error: refusal(known, problemKinds[known].meaning) };
}

// What Hono itself may throw.
const codeByStatus = new Map<number, ProblemCode>([
  [400, "malformed-json"],
  [413, "too-large"],
  [415, "unsupported-media-type"],
]);

function retryAfterSeconds(details: Readonly<Record<string, unknown>>): string {
  const ms = details["retryAfterMs"];
  return String(typeof ms === "number" ? Math.max(1, Math.ceil(ms / 1_000)) : 1);
}
