import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { passedOn } from "../../../src/http/passed-on.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

async function passed(headers: Readonly<Record<string, string>>): Promise<unknown> {
  const app = new Hono().get("/", (c) => c.json(passedOn(c)));
  return (await app.request("/", { headers })).json();
}

describe("the trace context of a request", () => {
  it.each([
    ["of version 00", `00-${traceId}-${spanId}-01`],
    ["of a later version with more fields", `cc-${traceId}-${spanId}-01-more`],
  ])("is passed on when it is %s", async (_what, traceparent) => {
    expect(await passed({ traceparent })).toEqual({ traceHeaders: { traceparent } });
  });

  it.each([
    ["has version ff", `ff-${traceId}-${spanId}-01`],
    ["has version 00 with more fields", `00-${traceId}-${spanId}-01-more`],
    ["has upper-case digits", `00-${traceId.toUpperCase()}-${spanId}-01`],
    ["has a trace id of zeros", `00-${"0".repeat(32)}-${spanId}-01`],
    ["has a span id of zeros", `00-${traceId}-${"0".repeat(16)}-01`],
    ["is too short", `00-${traceId}-01`],
  ])("is dropped with its state when it %s", async (_what, traceparent) => {
    expect(await passed({ traceparent, tracestate: "a=b" })).toEqual({});
  });

  it("goes without a tracestate that is too long, and without baggage that is", async () => {
    const traceparent = `00-${traceId}-${spanId}-01`;
    const headers = { traceparent, tracestate: "x".repeat(513), baggage: "y".repeat(8_193) };
    expect(await passed(headers)).toEqual({ traceHeaders: { traceparent } });
  });
});

describe("an idempotency key", () => {
  it("is passed on as it is", async () => {
    const key = '"8e03978e-40d5-43dd-bc93-6894a57f9324"';
    expect(await passed({ "idempotency-key": key })).toEqual({ idempotencyKey: key });
  });
});
