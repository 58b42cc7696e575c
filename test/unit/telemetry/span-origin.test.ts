import { describe, expect, it } from "vitest";
import { originOf } from "../../../src/telemetry/span-origin.ts";

const context = (trace: string, span: string) => ({
  traceparent: `00-${trace.repeat(32)}-${span.repeat(16)}-01`,
});
const begin = (change: object) => ({ parent: {}, ...change });
const step = context("a", "1");
const answer = { ...context("a", "2"), tracestate: "v=1", baggage: "k=v" };
const request = context("b", "3");
const soon = { headers: step, agoMs: 60_000 };
const later = { headers: step, agoMs: 60_001 };

describe("a span of an instance that took a step before", () => {
  it.each([
    ["goes on with its cause for a minute", "hot", { parent: answer, previous: soon }, answer],
    ["goes on with that step when nothing else caused it", "hot", { previous: soon }, step],
    ["goes on for ever in one trace when asked to", "single", { previous: later }, step],
  ] as const)("%s", (_, reach, start, parent) => {
    expect(originOf(begin(start), reach)).toEqual({ parent });
  });

  it.each([
    ["after more than a minute", "hot", { parent: answer, previous: later }, answer],
    ["when a timer is all that caused it", "hot", { parent: {}, previous: later }, step],
    ["at each step when asked to", "linked", { parent: answer, previous: soon }, answer],
  ] as const)("begins a new trace that is linked to the old one %s", (_, reach, start, past) => {
    const { parent, link, previousTraceId } = originOf(begin(start), reach);
    expect(parent).not.toHaveProperty("traceparent");
    expect(parent).not.toHaveProperty("tracestate");
    expect(link).toEqual(past);
    expect(previousTraceId).toBe("a".repeat(32));
  });

  it("keeps the baggage when it begins a new trace", () => {
    const { parent } = originOf(begin({ parent: answer, previous: later }), "hot");
    expect(parent).toEqual({ baggage: "k=v" });
  });

  it("stays in the trace of a new request, linked to the past of the instance", () => {
    expect(originOf(begin({ parent: request, previous: later }), "hot")).toEqual({
      parent: request,
      link: step,
      previousTraceId: "a".repeat(32),
    });
  });
});
