import { describe, expect, test } from "vitest";
import { z } from "zod";
import { validate } from "../../src/schema.ts";

describe("validate", () => {
  const schema = z.object({
    lines: z.array(z.object({ "a/b": z.number() })),
    note: z.string().default("-"),
  });

  test("gives the value as the schema leaves it", () => {
    expect(validate(schema, { lines: [] })).toEqual({ ok: true, value: { lines: [], note: "-" } });
    expect(validate(undefined, 5)).toEqual({ ok: true, value: 5 });
  });

  test("says what is wrong, and where", () => {
    expect(validate(schema, { lines: [{ "a/b": "x" }] })).toEqual({
      ok: false,
      problems: [{ pointer: "/lines/0/a~1b", detail: expect.stringContaining("number") }],
    });
  });

  test("refuses schemas that take their time", () => {
    const slow = z.string().refine(async () => true);
    expect(() => validate(slow, "x")).toThrow(expect.objectContaining({ code: "async-schema" }));
  });
});
