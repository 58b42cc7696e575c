import { describe, expect, it } from "vitest";
import { parsePrefer, parseUntil } from "../../../src/http/prefer.ts";

describe("Prefer", () => {
  it("asks for nothing when it is not there", () => {
    expect(parsePrefer(undefined)).toEqual({ respondAsync: false, waitMs: undefined, applied: "" });
  });

  it("waits for the seconds given", () => {
    expect(parsePrefer("wait=20")).toEqual({
      respondAsync: false,
      waitMs: 20_000,
      applied: "wait=20",
    });
  });

  it("waits for two minutes at most, and says so", () => {
    expect(parsePrefer("wait=999")).toMatchObject({ waitMs: 120_000, applied: "wait=120" });
  });

  it("is read whatever its case, with quotes and with other preferences around it", () => {
    expect(parsePrefer('return=minimal, WAIT="7"')).toMatchObject({ waitMs: 7_000 });
    expect(parsePrefer("Respond-Async")).toMatchObject({ respondAsync: true });
  });

  it("holds the answer first when both are asked for", () => {
    expect(parsePrefer("respond-async, wait=10")).toEqual({
      respondAsync: false,
      waitMs: 10_000,
      applied: "respond-async, wait=10",
    });
  });

  it.each(["wait", "wait=", "wait=-1", "wait=soon", "wait=0", "waiting=5"])(
    "leaves %s alone",
    (header) => {
      expect(parsePrefer(header)).toMatchObject({ waitMs: undefined, applied: "" });
    },
  );
});

describe("until", () => {
  const waiting = parsePrefer("wait=1");

  it.each(["done", "state:paid.captured", "tag:open"])("takes %s", (text) => {
    expect(parseUntil(text, waiting)).toBe(text);
  });

  it.each(["", "state:", "shipped", "done:now"])("refuses %j", (text) => {
    expect(() => parseUntil(text, waiting)).toThrow(/until must be/);
  });

  it("refuses to be given without a wait", () => {
    expect(() => parseUntil("done", parsePrefer("respond-async"))).toThrow(/Prefer: wait/);
  });
});
