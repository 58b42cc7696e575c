import { createServer, type Server, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { type Clock, systemClock } from "../clock.ts";
import { type Duration, toMs } from "../duration.ts";
import { WaybillError } from "../errors.ts";
import { isLoopback, refuseForeign } from "./loopback.ts";

export interface ListenOptions {
  /** A loopback name or address; 127.0.0.1 unless given. */
  readonly host?: string;
  /** The TCP port; 0 takes a free one. */
  readonly port: number;
  /** How long `close` lets running requests go on; 5 s unless given. */
  readonly closeWithin?: Duration;
  readonly clock?: Clock;
}

/** A server that listens. */
export interface Listening {
  readonly url: string;
  readonly port: number;
  /**
   * Takes no new connections, lets running requests finish within the deadline, then cuts those that are
   * left. Closing twice does no harm.
   */
  close(): Promise<void>;
}

/**
 * Serves an app over HTTP/1.1 on this machine only.
 * @throws WaybillError `not-loopback` for a host that others can reach, `port-in-use` when the port is taken,
 * `cannot-listen` for anything else that the system says.
 */
export async function listen(app: Hono, options: ListenOptions): Promise<Listening> {
  const host = options.host ?? "127.0.0.1";
  if (!isLoopback(host)) throw notLoopback(host);
  const clock = options.clock ?? systemClock;
  const deadlineMs = toMs(options.closeWithin ?? "5s");
  const handle = getRequestListener(
    (request, env) => refuseForeign(request) ?? app.fetch(request, env),
  );
  const server = createServer((request, response) => void handle(request, response));
  const running = runningResponses(server);
  const port = await bind(server, host, options.port);
  let closed: Promise<void> | undefined;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    close: () => (closed ??= closeServer({ server, running, clock, deadlineMs })),
  };
}

function notLoopback(host: string): WaybillError {
  return new WaybillError({
    code: "not-loopback",
    message: `"${host}" can be reached from other machines, and there is no authentication yet.`,
    action:
      "Listen on 127.0.0.1 or localhost, and put a proxy that authenticates in front; bearer tokens are not supported yet.",
  });
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port)));
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): WaybillError {
  const inUse = error.code === "EADDRINUSE";
  return new WaybillError({
    code: inUse ? "port-in-use" : "cannot-listen",
    message: inUse
      ? `Another process listens on ${host}:${port}.`
      : `Cannot listen on ${host}:${port}: ${error.message}.`,
    action: "Stop the other process, or choose another port; 0 takes a free one.",
    cause: error,
  });
}

function runningResponses(server: Server): ReadonlySet<ServerResponse> {
  const running = new Set<ServerResponse>();
  server.on("request", (_request, response) => {
    running.add(response);
    response.once("close", () => running.delete(response));
  });
  return running;
}

interface Closing {
  readonly server: Server;
  readonly running: ReadonlySet<ServerResponse>;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

function closeServer({ server, running, clock, deadlineMs }: Closing): Promise<void> {
  return new Promise((resolve) => {
    const cancelDeadline = clock.after(deadlineMs, () => server.closeAllConnections());
    server.close(() => {
      cancelDeadline();
      resolve();
    });
    // A kept-alive connection would hold the server open after its last answer.
    for (const response of running) {
      if (!response.headersSent) response.setHeader("connection", "close");
    }
  });
}
