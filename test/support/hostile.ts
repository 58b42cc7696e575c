import * as fc from "fast-check";

const nested = (depth: number, open: string, close: string) =>
  open.repeat(depth) + close.repeat(depth);

/** Text of every kind that has ever made a program stumble. */
export const anyText = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom(
    "",
    "__proto__",
    "constructor",
    "toString",
    "\u0000",
    "../../etc/passwd",
    "%00",
    "%E0%A4%A",
    "a/b",
    "#",
    "?",
    "\ud800",
    "\ufffd",
    "-1",
    "1e999",
    "NaN",
    "9007199254740993",
    "x".repeat(300),
    "é".repeat(200),
    "'; DROP TABLE instance; --",
    "<script>",
  ),
);

const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  anyText,
  fc.dictionary(anyText, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 4 }),
);

/** Bodies that are JSON in every sense, in some sense, or in none. `wanted` is what would be understood. */
export function anyBody(
  wanted: fc.Arbitrary<unknown>,
): fc.Arbitrary<string | Uint8Array<ArrayBuffer>> {
  const good = wanted.map((value) => JSON.stringify(value));
  return fc.oneof(
    { weight: 12, arbitrary: good },
    { weight: 2, arbitrary: anyValue.map((value) => JSON.stringify(value)) },
    { weight: 2, arbitrary: fc.tuple(good, fc.nat(), anyText).map(spliced) },
    fc.string({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => new Uint8Array(bytes)),
    fc.constantFrom(
      '{"type":"keep","type":"end"}',
      '{"__proto__":{"polluted":1},"type":"keep"}',
      '{"type":"keep","constructor":{"prototype":{"polluted":1}}}',
      '{"type":"keep","a":1e999,"b":-0,"c":1e-400,"d":12345678901234567890}',
      '{"type":"keep","\\ud800":"\\udfff","\\u0000":"\\u0000"}',
      "\ufeff{}",
      "{} {}",
      "null",
      nested(100_000, "[", "]"),
      nested(5_000, '{"a":', "}"),
      "[".repeat(100_000),
      `{"type":"keep","text":${nested(150, "[", "]")}}`,
      `{"type":"keep","text":"${"x".repeat(300_000)}"}`,
      `{"type":"keep","list":[${"0,".repeat(50_000)}0]}`,
    ),
  );
}

function spliced([text, at, piece]: readonly [string, number, string]): string {
  const place = at % (text.length + 1);
  return text.slice(0, place) + piece + text.slice(place);
}

const traceparents = fc.oneof(
  fc.constant("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
  fc.stringMatching(/^[0-9a-f]{2}-[0-9a-f]{30,33}-[0-9a-f]{14,17}-[0-9a-f]{1,3}$/),
);

const latin1 = fc.stringMatching(/^[\x21-\x7e\xa0-\xff]{0,30}$/);

const header: readonly fc.Arbitrary<readonly [string, string]>[] = [
  named("content-type", latin1, "text/plain", "application/json; charset=utf-16", "a/b+json", ";"),
  named("idempotency-key", latin1, "k", "x".repeat(255), "x".repeat(256)),
  named("if-match", latin1, '"1"', 'W/"1"', '"99999999999999999999"', "*", '"-1"'),
  named("if-none-match", latin1, "*", '"1"', 'W/"1", "2"'),
  named(
    "prefer",
    latin1,
    "respond-async",
    "wait=0",
    "wait=-1",
    'wait="0"',
    ",,;=",
    "wait=0, respond-async",
  ),
  named("traceparent", fc.oneof(traceparents, latin1)),
  named("tracestate", latin1, "a=1,".repeat(300)),
  named("baggage", latin1, "k=v,".repeat(5_000)),
  named("content-length", latin1, "0", "-1", "1e9", "999999999999"),
  named("accept", latin1, "text/html"),
  named("x-waybill-instance", latin1, "keeper/two"),
];

function named(
  name: string,
  any: fc.Arbitrary<string>,
  ...special: readonly string[]
): fc.Arbitrary<readonly [string, string]> {
  const values = special.length === 0 ? any : fc.oneof(any, fc.constantFrom(...special));
  return values.map((value) => [name, value] as const);
}

/** Headers that mean something to us, with values that may mean nothing, as far as HTTP can carry them. */
export const anyHeaders: fc.Arbitrary<Record<string, string>> = fc
  .array(fc.oneof(...header), { maxLength: 2 })
  .map((headers) => ({ "content-type": "application/json", ...Object.fromEntries(headers) }));

/** One part of a path or query: encoded as it should be, or broken on purpose. */
export const anySegment = fc.oneof(
  anyText.filter((text) => text.isWellFormed()).map(encodeURIComponent),
  fc.constantFrom("%", "%zz", "%E0%A4%A", "%00", "%2F", "%252F", "..", "a%2fb", "+", "~"),
);
