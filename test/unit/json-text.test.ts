import { describe, expect, it } from "vitest";
import { readJsonText } from "../../src/json-text.ts";

describe("JSON from outside", () => {
  it.each([
    ["a list", "[".repeat(100_000)],
    ["objects", `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`],
    ["one level too many", `${"[".repeat(101)}${"]".repeat(101)}`],
  ])("is unfit when nested too deeply: %s", (_what, text) => {
    expect(readJsonText(text)).toEqual({
      fault: "unfit",
      detail: "is nested deeper than 100 levels",
    });
  });

  it("may be nested a hundred levels deep, and hold any number of brackets as text", () => {
    expect(readJsonText(`${"[".repeat(100)}${"]".repeat(100)}`)).toHaveProperty("value");
    const text = ['\\"', "[{".repeat(200)];
    expect(readJsonText(JSON.stringify(text))).toEqual({ value: text });
  });

  it.each(['{"__proto__":1}', '[{"a":{"__proto__":{"polluted":1}}}]', '{"\\u005f_proto__":1}'])(
    "is unfit with a key that copying would lose: %s",
    (text) => {
      const detail = 'has an object with the key "__proto__"';
      expect(readJsonText(text)).toEqual({ fault: "unfit", detail });
    },
  );

  it("may speak of such a key", () => {
    expect(readJsonText('{"a":"__proto__"}')).toEqual({ value: { a: "__proto__" } });
  });

  it.each(["", "{", '"'.repeat(5_000), `"${'\\"'.repeat(100_000)}`, `{}${" ".repeat(300)}]]]`])(
    "is malformed without being thrown at",
    (text) => {
      expect(readJsonText(text)).toMatchObject({ fault: "malformed" });
    },
  );
});
