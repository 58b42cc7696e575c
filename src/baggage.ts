import type { Headers } from "./message.ts";
import type { OpenSpan, Tracer } from "./tracer.ts";

/** W3C baggage asks nobody to read more than this. */
const longestHeaderChars = 8_192;
/** All that one message carries on: it lies in the store beside every step and every promise. */
const longestCarriedChars = 1_024;

const token = /^[\w!#$%&'*+.^`|~-]+$/;
const value = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;

/** True for text that can be a key of W3C baggage. */
export function isBaggageKey(text: string): boolean {
  return token.test(text);
}

/**
 * A tracer whose spans hand on only these keys of W3C baggage, well-formed and 1,024 characters at most together.
 * Everybody who receives a message can read its baggage, so what is not named ends where it comes in.
 */
export function carryingBaggage(tracer: Tracer, keys: readonly string[]): Tracer {
  const carried = new Set(keys);
  return {
    isActive: tracer.isActive,
    mayRecord: (headers) => tracer.mayRecord(headers),
    begin(start) {
      const span = tracer.begin(start);
      if (span.headers["baggage"] === undefined) return span;
      const { baggage = "", ...rest } = span.headers;
      const kept = keptOf(baggage, carried);
      return handingOn(span, kept === "" ? rest : { ...rest, baggage: kept });
    },
  };
}

function handingOn(span: OpenSpan, headers: Headers): OpenSpan {
  return { headers, end: (how) => span.end(how), within: (task) => span.within(task) };
}

/** The members that may go on, first come first served. */
function keptOf(header: string, keys: ReadonlySet<string>): string {
  if (keys.size === 0 || header.length > longestHeaderChars) return "";
  let kept = "";
  for (const member of header.split(",")) {
    const clean = cleanMember(member, keys);
    if (clean === undefined) continue;
    const longer = kept === "" ? clean : `${kept},${clean}`;
    if (longer.length <= longestCarriedChars) kept = longer;
  }
  return kept;
}

/** `key=value` without the properties that may follow it; undefined for what is malformed or not wanted. */
function cleanMember(member: string, keys: ReadonlySet<string>): string | undefined {
  const [pair = ""] = member.split(";");
  const equals = pair.indexOf("=");
  const key = pair.slice(0, Math.max(equals, 0)).trim();
  const text = pair.slice(equals + 1).trim();
  return keys.has(key) && value.test(text) ? `${key}=${text}` : undefined;
}
