import { describe, expect, test } from "vitest";
import { freezeParsed, plain } from "../../../src/engine/statechart/plain.ts";

describe("plain", () => {
  test.each<[string, unknown]>([
    ["text and numbers", { a: "x", b: 1.5, c: true, d: null }],
    [
      "undefined, functions and symbols",
      { a: undefined, b() {}, c: Symbol("x"), d: [undefined, 1] },
    ],
    ["numbers that JSON does not know", { a: Number.NaN, b: Infinity, c: -0 }],
    ["dates", { a: new Date(5), b: [new Date(6)] }],
    ["sparse arrays", { a: Object.assign([], { 2: "x" }) }],
    [
      "instances of classes",
      {
        a: new URL("http://x.test/"),
        b: new (class Point {
          x = 1;
        })(),
      },
    ],
    ["nested values", { a: { b: { c: [{ d: [] }] } } }],
    ["objects without prototype", { a: Object.assign(Object.create(null) as object, { b: 1 }) }],
  ])("does to %s what JSON does", (_name, value) => {
    expect(plain(value, "value")).toEqual(JSON.parse(JSON.stringify(value)));
  });

  test("keeps an error's name and message, where JSON would leave nothing", () => {
    expect(plain({ a: new RangeError("far") }, "value")).toEqual({
      a: { name: "RangeError", message: "far" },
    });
  });

  test("gives back what it has made, without another copy", () => {
    const once = plain({ a: { b: [1, 2] }, c: "x" }, "value");
    expect(plain(once, "value")).toBe(once);
    const { a } = once as { a: unknown };
    expect((plain({ a, d: 5 }, "value") as { a: unknown }).a).toBe(a);
  });

  test("freezes its copy and leaves the original alone", () => {
    const original = { a: { b: 1 } };
    const copy = plain(original, "value") as typeof original;
    expect([Object.isFrozen(copy.a), Object.isFrozen(original.a)]).toEqual([true, false]);
  });

  test("does not trust what others have frozen", () => {
    const shallow = Object.freeze({ at: new Date(5), inner: { open: true } });
    const copy = plain(shallow, "value") as { inner: object };
    expect(copy).toEqual({ at: "1970-01-01T00:00:00.005Z", inner: { open: true } });
    expect(Object.isFrozen(copy.inner)).toBe(true);
  });

  test.each<[string, unknown]>([
    ["a Map", new Map()],
    ["a Set", new Set()],
    ["a RegExp", /x/],
    ["a bigint", 5n],
    ['an object with the key "__proto__"', JSON.parse('{"__proto__":1}')],
  ])("refuses %s and says where it is", (what, lost) => {
    expect(() => plain({ lines: [{ x: lost }] }, "context")).toThrow(
      `context.lines.0.x holds ${what}, which JSON would lose.`,
    );
  });

  test("refuses a cycle", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = [cycle, cycle];
    expect(() => plain(cycle, "context")).toThrow("holds a cycle");
  });
});

test("freezeParsed freezes all the way down", () => {
  const value = freezeParsed({ a: [{ b: 1 }], c: null, d: "x" });
  expect([value, value.a, value.a[0]].every(Object.isFrozen)).toBe(true);
});
