import { expect, test } from "vitest";
import { Words } from "../../../../transports/rabbitmq/words.ts";

function bytesOf(text: string): Buffer {
  return Buffer.from(`..${text}..`);
}

test("finds what it keeps, and nothing that only looks like it", () => {
  const words = new Words();
  const bytes = bytesOf("x-waybill-instance");
  expect(words.find(bytes, 2, 20)).toBeUndefined();
  words.keep("x-waybill-instance", bytes, 2);
  expect(words.find(bytes, 2, 20)).toBe("x-waybill-instance");
  // Of the same length, with the same middle and end.
  expect(words.find(bytesOf("y-waybill-instance"), 2, 20)).toBeUndefined();
  expect(words.find(bytes, 2, 19)).toBeUndefined();
  expect(words.find(Buffer.alloc(0), 0, 18)).toBeUndefined();
});

test("keeps no text whose bytes are not its characters", () => {
  const words = new Words();
  for (const text of ["é", "\u00c3\u00a9", "\ufffd"]) {
    const bytes = Buffer.from(text);
    words.keep(text, bytes, 0);
    expect(words.find(bytes, 0, bytes.length)).toBeUndefined();
    expect(words.find(Buffer.from(text, "latin1"), 0, text.length)).toBeUndefined();
  }
});

test("a word takes the place of another, and the empty one is a word", () => {
  const words = new Words();
  const many = Array.from({ length: 5_000 }, (_, index) => `word-${index}`);
  for (const word of many) words.keep(word, Buffer.from(word), 0);
  const found = many.filter((word) => {
    const text = words.find(Buffer.from(word), 0, word.length);
    expect([word, undefined]).toContain(text);
    return text === word;
  });
  expect(found.length).toBeGreaterThan(0);
  expect(found.length).toBeLessThanOrEqual(512);
  words.keep("", Buffer.alloc(0), 0);
  expect(words.find(Buffer.alloc(0), 0, 0)).toBe("");
});
