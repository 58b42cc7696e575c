import type { Context } from "hono";
import { refusal } from "./problems.ts";
import { spanHeadersOf } from "./server-span.ts";

/** The headers of a request that travel on with its message. */
export interface PassedOn {
  readonly idempotencyKey?: string;
  readonly traceHeaders?: Readonly<Record<string, string>>;
}

const keyPattern = /^[\x21-\x7e]{1,255}$/;
const traceparentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;
const longestTracestateChars = 512;
const longestBaggageChars = 8_192;

/**
 * Reads `Idempotency-Key` and the W3C trace context. A trace context that is malformed is dropped, as its
 * standard asks; a key that is malformed is refused, since the caller relies on it.
 * @throws WaybillError `invalid-header` for a key that is not 1 to 255 visible ASCII characters.
 */
export function passedOn(c: Context): PassedOn {
  const idempotencyKey = c.req.header("idempotency-key");
  if (idempotencyKey !== undefined && !keyPattern.test(idempotencyKey)) {
    const detail = "must be 1 to 255 visible ASCII characters, without spaces";
    throw refusal("invalid-header", `Idempotency-Key ${detail}.`, [
      { header: "Idempotency-Key", detail },
    ]);
  }
  const traceHeaders = spanHeadersOf(c) ?? traceHeadersOf(c);
  return {
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(Object.keys(traceHeaders).length > 0 && { traceHeaders }),
  };
}

/** The W3C trace context that the caller has sent. */
export function traceHeadersOf(c: Context): Record<string, string> {
  const traceparent = c.req.header("traceparent");
  const tracestate = c.req.header("tracestate");
  const baggage = c.req.header("baggage");
  const headers: Record<string, string> = {};
  if (traceparent !== undefined && isTraceparent(traceparent)) {
    headers["traceparent"] = traceparent;
    if (tracestate && tracestate.length <= longestTracestateChars) {
      headers["tracestate"] = tracestate;
    }
  }
  if (baggage && baggage.length <= longestBaggageChars) headers["baggage"] = baggage;
  return headers;
}

function isTraceparent(text: string): boolean {
  const [, version, traceId = "", spanId = "", more] = traceparentPattern.exec(text) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more)) return false;
  return /[1-9a-f]/.test(traceId) && /[1-9a-f]/.test(spanId);
}
