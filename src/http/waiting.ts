import type { Context } from "hono";
import type { Clock } from "../clock.ts";
import type { InstanceView, SendResult, Until } from "../engine/client.ts";
import { instanceJson } from "./answers.ts";
import { etagOf, isUnchanged } from "./etags.ts";
import { type Preference, parsePrefer, parseUntil } from "./prefer.ts";
import type { Served } from "./route-parts.ts";

/** How a request would like to be answered, and since when it waits (monotonic milliseconds). */
export interface Wish {
  readonly preference: Preference;
  readonly until: Until | undefined;
  readonly receivedAt: number;
}

/** What is known once a request is handled: the instance, and the status to answer with unless it waits on. */
export interface Handled {
  readonly instance: InstanceView;
  readonly status: 200 | 201 | 202;
  readonly outcome?: SendResult["outcome"];
}

/**
 * Reads `Prefer` and `?until=`.
 * @throws WaybillError `invalid-parameter` for an `until` that cannot be honoured.
 */
export function readWish(c: Context, clock: Clock, until: string | undefined): Wish {
  const preference = parsePrefer(c.req.header("prefer"));
  return { preference, until: parseUntil(until, preference), receivedAt: clock.monotonic() };
}

/**
 * Answers with an instance: at once, or, when the caller would like to wait, with 200 as soon as what it
 * waits for is reached and with 202 when its time is up. A GET of what the caller has already is a 304.
 */
export async function answerInstance(
  c: Context,
  served: Served,
  wish: Wish,
  handled: Handled,
): Promise<Response> {
  const { instance, status } = await waited(served, wish, handled);
  const etag = etagOf(instance);
  c.header("ETag", etag);
  c.header("Cache-Control", "no-cache");
  applyPreference(c, wish);
  if (
    c.req.method === "GET" &&
    status === 200 &&
    isUnchanged(c.req.header("if-none-match"), etag)
  ) {
    return c.body(null, 304);
  }
  const { outcome } = handled;
  return c.json({ ...(outcome && { outcome }), ...instanceJson(instance) }, status);
}

/** Answers 202: taken in, with what is known of it so far. */
export function answerAccepted(
  c: Context,
  wish: Wish,
  body: { readonly outcome: string; readonly id?: string },
): Response {
  applyPreference(c, wish);
  return c.json(body, 202);
}

async function waited(served: Served, wish: Wish, handled: Handled): Promise<Handled> {
  const { waitMs } = wish.preference;
  if (waitMs === undefined) return handled;
  const { workflow, id } = handled.instance;
  const spentMs = served.clock.monotonic() - wish.receivedAt;
  const { reached, instance } = await served.client.wait(workflow, id, {
    timeoutMs: Math.max(0, waitMs - spentMs),
    ...(wish.until !== undefined && { until: wish.until }),
  });
  return { instance, status: reached ? 200 : 202 };
}

function applyPreference(c: Context, { preference }: Wish): void {
  c.header("Vary", "Prefer");
  if (preference.applied !== "") c.header("Preference-Applied", preference.applied);
}
