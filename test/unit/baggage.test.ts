import { describe, expect, it, test } from "vitest";
import { carryingBaggage, isBaggageKey } from "../../src/baggage.ts";
import { silentTracer } from "../../src/tracer.ts";
import { RecordingTracer } from "../support/recording-tracer.ts";

const start = { kind: "consumer", name: "x", details: () => ({ attributes: {} }) } as const;
const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

/** What a span hands on of a baggage header. */
function handedOn(baggage: string, keys: readonly string[], tracer = silentTracer) {
  const parent = { traceparent, baggage };
  return carryingBaggage(tracer, keys).begin({ ...start, parent }).headers["baggage"];
}

describe("baggage", () => {
  it("ends where it comes in, unless its key is named", () => {
    const given = "tenant=acme,secret=s3cret, region = eu ;ttl=5";
    expect(handedOn(given, [])).toBeUndefined();
    expect(handedOn(given, ["tenant", "region"])).toBe("tenant=acme,region=eu");
    expect(handedOn(given, ["other"])).toBeUndefined();
  });

  it.each([
    ["a key alone", "tenant"],
    ["an equals sign", "="],
    ["commas", ",,;=,"],
    ["no key", "=acme"],
    ["a space", "tenant = two words"],
    ["quotes", 'tenant="acme"'],
    ["a backslash", "tenant=a\\b"],
    ["a line break", "tenant=a\r\nset-cookie: a"],
    ["no ASCII", "tenant=ä"],
    ["nothing but semicolons", ";;;".repeat(2_000)],
    ["almost a megabyte", "tenant=a,".repeat(100_000)],
  ])("that is %s goes nowhere", (_, rubbish) => {
    expect(handedOn(rubbish, ["tenant"])).toBeUndefined();
  });

  it("keeps what is well-formed beside what is not", () => {
    expect(handedOn("a=\u0007,tenant=%C3%A4,b==,tenant", ["a", "tenant", "b"])).toBe(
      "tenant=%C3%A4,b==",
    );
  });

  it("is handed on up to 1,024 characters, and what does not fit is left out whole", () => {
    const long = (key: string, chars: number) => `${key}=${"x".repeat(chars)}`;
    const given = [long("a", 500), long("b", 600), long("c", 400)].join(",");
    const kept = handedOn(given, ["a", "b", "c"]);
    expect(kept).toBe([long("a", 500), long("c", 400)].join(","));
    expect(handedOn(long("a", 1_022), ["a"])).toHaveLength(1_024);
    expect(handedOn(long("a", 1_023), ["a"])).toBeUndefined();
  });

  it("changes nothing else of a span", () => {
    const recording = new RecordingTracer();
    const tracer = carryingBaggage(recording, ["tenant"]);
    expect(tracer.isActive).toBe(true);
    const span = tracer.begin({ ...start, parent: { traceparent, baggage: "tenant=a,b=c" } });
    expect(span.within(() => 5)).toBe(5);
    span.end(() => ({ error: "e" }));
    const [recorded] = recording.spans;
    expect(span.headers).toEqual({ ...recorded?.headers, baggage: "tenant=a" });
    expect(recorded?.ended).toEqual({ error: "e" });
  });
});

test.each([
  ["tenant", true],
  ["x-b3.y_z", true],
  ["", false],
  ["two words", false],
  ["a=b", false],
  ["ä", false],
])("%j as a key of baggage: %j", (text, isKey) => {
  expect(isBaggageKey(text)).toBe(isKey);
});
