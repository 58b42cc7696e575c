import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { Headers } from "../message.ts";
import { attribute } from "../semantic-conventions.ts";
import type { Tracer } from "../tracer.ts";

const variable = "waybillTraceHeaders";

/** Gives each request a server span, as a child of its caller's; `parentOf` reads the caller's trace context. */
export function serverSpan(tracer: Tracer, parentOf: (c: Context) => Headers): MiddlewareHandler {
  return async (c, next) => {
    const { method } = c.req;
    const span = tracer.begin({
      kind: "server",
      name: method,
      parent: parentOf(c),
      details: () => ({ attributes: { [attribute.httpMethod]: method } }),
    });
    c.set(variable, span.headers);
    await span.within(next);
    const route = matchedRoutes(c).findLast((one) => one.method !== "ALL")?.path;
    const { status } = c.res;
    span.end(() => ({
      name: route === undefined ? method : `${method} ${route}`,
      attributes: {
        [attribute.httpStatus]: status,
        ...(route !== undefined && { [attribute.httpRoute]: route }),
        ...(status >= 500 && { [attribute.errorType]: String(status) }),
      },
      ...(status >= 500 && { error: `answered ${status}` }),
    }));
  };
}

/** The trace context of the request's own span, if it has one. */
export function spanHeadersOf(c: Context): Headers | undefined {
  return c.get(variable) as Headers | undefined;
}
