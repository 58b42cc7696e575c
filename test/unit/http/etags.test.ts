import { describe, expect, it } from "vitest";
import { etagOf, isUnchanged, versionFrom } from "../../../src/http/etags.ts";

describe("an ETag", () => {
  it("is the version in quotation marks", () => {
    expect(etagOf({ version: 12 })).toBe('"12"');
  });

  it.each(['"12"', 'W/"12"', '"11", "12"', "*"])("is matched by If-None-Match %s", (header) => {
    expect(isUnchanged(header, '"12"')).toBe(true);
  });

  it.each(['"1"', "12", undefined])("is not matched by If-None-Match %s", (header) => {
    expect(isUnchanged(header, '"12"')).toBe(false);
  });
});

describe("If-Match", () => {
  it("names the version to insist on", () => {
    expect(versionFrom('"12"')).toBe(12);
  });

  it.each([undefined, "*"])("insists on nothing when it is %s", (header) => {
    expect(versionFrom(header)).toBeUndefined();
  });

  it.each(["12", 'W/"12"', '"12", "13"', '"abc"', ""])("refuses %j", (header) => {
    expect(() => versionFrom(header)).toThrow(/If-Match must be/);
  });
});
