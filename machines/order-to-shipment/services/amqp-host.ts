import type { EventEmitter } from "node:events";
import { type ChannelModel, connect } from "amqplib";
import { AmqpSession } from "./amqp-session.ts";
import type { Service } from "./service.ts";

const heartbeatSeconds = 5;
/** For the connection, and again for making what the service needs: a queue without a leader never answers. */
const connectWithinMs = 10_000;
const firstPauseMs = 100;
const longestPauseMs = 10_000;
/** A connection that lived for so long was a good one: the next pause is short again. */
const stableMs = 10_000;

export interface AmqpHostOptions {
  /** `amqp(s)://user:password@host:port/vhost`. */
  readonly url: string;
  /** First part of the name of every exchange and queue. */
  readonly prefix: string;
  readonly service: Service;
  /** Ends the service in good order. */
  readonly signal: AbortSignal;
  /** Takes a line for a person to read. */
  readonly say: (line: string) => void;
}

/**
 * Runs a service as a process of its own, with a plain AMQP client and nothing else: it connects, and connects anew
 * whenever the connection is lost, until the signal is aborted; then it resolves with all that it took in answered.
 */
export async function runService(options: AmqpHostOptions): Promise<void> {
  const { signal, say } = options;
  const stopped = aborted(signal);
  for (let failures = 0; !signal.aborted; failures += 1) {
    const startedMs = performance.now();
    try {
      await serve(options, stopped);
    } catch (thrown) {
      say(thrown instanceof Error ? thrown.message : String(thrown));
    }
    if (performance.now() - startedMs > stableMs) failures = 0;
    if (signal.aborted) return;
    const { over, cancel } = timer(pauseMs(failures));
    await Promise.race([over, stopped]).finally(cancel);
  }
}

/** Serves on one connection; resolves when the signal ended it, rejects when anything else did. */
async function serve(options: AmqpHostOptions, stopped: Promise<void>): Promise<void> {
  const { url, prefix, service, signal, say } = options;
  const connection = await connect(withHeartbeat(url), {
    // Nagle's algorithm would hold every answer back for up to 40 ms.
    noDelay: true,
    keepAlive: true,
    timeout: connectWithinMs,
    clientProperties: { connection_name: `${prefix} ${service.name}` },
  });
  try {
    const lost = lostOf(connection);
    const channel = await connection.createConfirmChannel();
    const channelLost = lostOf(channel);
    const session = new AmqpSession(channel, { service, prefix, user: userOf(url), say });
    await inTime(Promise.race([session.begin(), lost, channelLost, stopped]));
    if (signal.aborted) return;
    say(`takes requests from ${prefix}.shop.${service.name}`);
    await Promise.race([stopped, lost, channelLost]);
    await Promise.race([session.end(), lost]);
  } finally {
    await hangUp(connection);
  }
}

async function hangUp(connection: ChannelModel): Promise<void> {
  try {
    await connection.close();
  } catch {
    // It has ended already.
  }
}

/** Rejects when a connection or channel ends. Its error comes first, and without a listener would end the process. */
function lostOf(emitter: EventEmitter): Promise<never> {
  const lost = new Promise<never>((_, reject) => {
    emitter.on("error", (error: Error) => reject(error));
    emitter.on("close", () => reject(new Error("the broker has ended it")));
  });
  lost.catch(() => undefined);
  return lost;
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has("heartbeat")) {
    parsed.searchParams.set("heartbeat", String(heartbeatSeconds));
  }
  return parsed.href;
}

function userOf(url: string): string {
  return decodeURIComponent(new URL(url).username) || "guest";
}

/** Doubles with each failure; half of it is left to chance, so that not all services come back at once. */
function pauseMs(failures: number): number {
  const fullMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 20));
  return fullMs * (0.5 + Math.random() / 2);
}

async function inTime(work: Promise<void>): Promise<void> {
  const { over, cancel } = timer(connectWithinMs);
  const late = over.then(() => {
    throw new Error(`the broker gave no answer within ${connectWithinMs} ms`);
  });
  await Promise.race([work, late]).finally(cancel);
}

function timer(ms: number): { readonly over: Promise<void>; readonly cancel: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const started = setTimeout(resolve, ms);
  return { over: promise, cancel: () => clearTimeout(started) };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
