import { type Handler, Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { type Clock, systemClock } from "../clock.ts";
import type { Client } from "../engine/client.ts";
import { WaybillError } from "../errors.ts";
import type { Tracer } from "../tracer.ts";
import { controlRoutes } from "./control-routes.ts";
import { deadLetterRoutes } from "./dead-letter-routes.ts";
import { documentRoutes } from "./document-routes.ts";
import { eventRoutes } from "./event-routes.ts";
import { instanceRoutes } from "./instance-routes.ts";
import { defaultBodyLimitBytes } from "./json-body.ts";
import { operationRoutes } from "./operation-routes.ts";
import { traceHeadersOf } from "./passed-on.ts";
import { problemPages } from "./problem-pages.ts";
import { isUnexpected, mountOf, problemResponse, refusal } from "./problems.ts";
import { newRoutes, type Served } from "./route-parts.ts";
import { serverSpan } from "./server-span.ts";
import { startRoutes } from "./start-routes.ts";
import { workflowRoutes } from "./workflow-routes.ts";

const parts = [
  startRoutes,
  instanceRoutes,
  eventRoutes,
  workflowRoutes,
  controlRoutes,
  deadLetterRoutes,
  operationRoutes,
] as const;

export interface RoutesOptions {
  /** The most bytes that a request's body may have; 256 KiB unless given. */
  readonly bodyLimitBytes?: number;
  /** Measures how long a request has waited. */
  readonly clock?: Clock;
  /** Follows each request below `/workflows` into what it causes; nothing is recorded unless given. */
  readonly tracer?: Tracer;
  /** The measurements of this process in Prometheus' text format, for `/metrics`; 404 unless given. */
  readonly metrics?: () => Promise<string>;
  /** Is told of every error that is answered with a bare 500. */
  readonly reportError?: (error: unknown) => void;
}

/**
 * The HTTP interface as a Hono app, for `listen` or to mount in an app of one's own. Links are relative to
 * where it is mounted. Everything below that path is answered here, with a problem (RFC 9457) at the worst.
 *
 * ```ts
 * app.route("/wf", waybillRoutes(client));
 * ```
 */
export function waybillRoutes(client: Client, options: RoutesOptions = {}): Hono {
  const served: Served = {
    client,
    clock: options.clock ?? systemClock,
    bodyLimitBytes: options.bodyLimitBytes ?? defaultBodyLimitBytes,
  };
  const api = newRoutes();
  for (const part of parts) api.route("/", part(served));
  const app = new Hono();
  app.use(headers());
  if (options.tracer?.isActive) app.use("/workflows/*", serverSpan(options.tracer, traceHeadersOf));
  app.route("/", api);
  if (options.metrics !== undefined) app.get("/metrics", metricsRoute(options.metrics));
  app.route("/", documentRoutes(api, served));
  app.route("/", problemPages());
  answerTheRest(app);
  app.onError((error, c) => {
    if (isUnexpected(error)) options.reportError?.(error);
    return problemResponse(error, mountOf(c));
  });
  return app;
}

/** 405 with `Allow` for the paths there are, 404 for all others, as problems. */
function answerTheRest(app: Hono): void {
  const served = app.routes.filter(({ method }) => method !== "ALL");
  const methodsByPath = Map.groupBy(served, ({ path }) => path);
  for (const [path, routes] of methodsByPath) {
    const methods = new Set(routes.map(({ method }) => method));
    if (methods.has("GET")) methods.add("HEAD");
    const allow = [...methods].toSorted().join(", ");
    app.all(path, (c) => {
      throw methodNotAllowed(c.req.method, allow);
    });
  }
  app.all("*", (c) => {
    throw refusal("not-found", `There is nothing at ${c.req.path}.`);
  });
}

function methodNotAllowed(method: string, allow: string): WaybillError {
  return new WaybillError({
    code: "method-not-allowed",
    message: `${method} is not allowed here.`,
    action: `Use ${allow}.`,
    details: { allow },
  });
}

function metricsRoute(metrics: () => Promise<string>): Handler {
  return async (c) => {
    c.header("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    c.header("Cache-Control", "no-store");
    return c.body(await metrics());
  };
}

function headers() {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      connectSrc: ["'self'"],
      imgSrc: ["'self'", "data:"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
    xFrameOptions: "DENY",
    // Mounted in someone's app, these routes must not decide about the whole domain.
    strictTransportSecurity: false,
  });
}
