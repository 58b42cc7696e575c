import type { Until } from "../engine/client.ts";
import { refusal } from "./problems.ts";

/** How the caller would like to be answered (RFC 7240). */
export interface Preference {
  /** Answer as soon as the request is safe, before it is handled. */
  readonly respondAsync: boolean;
  /** Hold the answer for at most so many milliseconds. */
  readonly waitMs: number | undefined;
  /** The value of `Preference-Applied`; empty when nothing was asked for. */
  readonly applied: string;
}

/** The longest that an answer is held back, in seconds. */
export const longestWaitSeconds = 120;

/** Reads a `Prefer` header. What it does not understand it leaves alone, as the standard says. */
export function parsePrefer(header: string | undefined): Preference {
  const tokens = (header ?? "").split(",").map((token) => token.trim().toLowerCase());
  const respondAsync = tokens.includes("respond-async");
  const seconds = tokens.map(waitSeconds).find((wait) => wait !== undefined);
  const wait = seconds === undefined ? undefined : Math.min(seconds, longestWaitSeconds);
  const applied = [...(respondAsync ? ["respond-async"] : []), ...(wait ? [`wait=${wait}`] : [])];
  return {
    // With both, the standard has the answer held for the time given and only then made async.
    respondAsync: respondAsync && !wait,
    waitMs: wait ? wait * 1_000 : undefined,
    applied: applied.join(", "),
  };
}

/**
 * Reads `?until=`: `done`, `state:<name>` or `tag:<name>`.
 * @throws WaybillError `invalid-parameter` for anything else, or when there is no wait that it could end.
 */
export function parseUntil(text: string | undefined, preference: Preference): Until | undefined {
  if (text === undefined) return undefined;
  if (!isUntil(text)) {
    const detail = "must be done, state:<name> or tag:<name>";
    throw refusal("invalid-parameter", `until ${detail}.`, [{ parameter: "until", detail }]);
  }
  if (preference.waitMs === undefined) {
    const detail = "has no meaning without the header Prefer: wait=<seconds>";
    throw refusal("invalid-parameter", `until ${detail}.`, [{ parameter: "until", detail }]);
  }
  return text;
}

function isUntil(text: string): text is Until {
  return text === "done" || /^(state|tag):./.test(text);
}

function waitSeconds(token: string): number | undefined {
  const [, digits] = /^wait\s*=\s*"?(\d{1,9})"?$/.exec(token) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
