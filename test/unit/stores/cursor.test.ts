import { expect, test } from "vitest";
import { decodeCursor, encodeCursor } from "../../../src/stores/cursor.ts";

test("a cursor gives back the position it was made of", () => {
  const cursor = encodeCursor([17.5, "order/ü"]);
  expect(cursor).toMatch(/^[\w-]+$/);
  expect(decodeCursor(cursor, [0, ""] as readonly [number, string])).toEqual([17.5, "order/ü"]);
  expect(decodeCursor(undefined, [0])).toBeUndefined();
});

test.each(["", "%%%", "bnVsbA", "WzFlOTk5LCIiXQ", encodeCursor(["a", 1]), encodeCursor([1])])(
  "%j is not taken for a cursor",
  (text) => {
    expect(() => decodeCursor(text, [0, ""])).toThrow("is not a cursor of this list");
  },
);
