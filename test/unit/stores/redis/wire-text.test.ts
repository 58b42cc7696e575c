import * as fc from "fast-check";
import { Command } from "ioredis";
import { expect, test } from "vitest";
import { WireText } from "../../../../src/stores/redis/wire-text.ts";
import { firstSeed, runs } from "../../../support/fuzz-budget.ts";

/** Texts of any script, halves of surrogate pairs among them, and numbers as commits hold them. */
const word = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 3_000 }),
  fc.string({ maxLength: 3_000, minLength: 900 }),
  fc.constantFrom("", "\r\n", "Grüße 运单 🚚", "\ud83d", "\ude9a", "é".repeat(2_000)),
  fc.integer(),
  fc.nat({ max: 2_000 }),
  fc.double({ noNaN: true }),
);

function bytesOf(text: string | Buffer): string {
  return Buffer.from(text).toString("hex");
}

test("a command goes over the wire as the client would write it", () => {
  const property = fc.property(fc.array(word, { maxLength: 30 }), (words) => {
    const expected = new Command("evalsha", [...words]).toWritable({});
    const written = WireText.of(["evalsha", ...words]).toString();
    expect(bytesOf(written)).toBe(bytesOf(expected));
  });
  fc.assert(property, { seed: firstSeed, numRuns: runs(1_000) });
});

test("what was written apart is the same behind one another", () => {
  const words = fc.array(word, { maxLength: 10 });
  const property = fc.property(words, words, (first, second) => {
    const both = WireText.of(first);
    both.append(WireText.of(second));
    expect(both.toString()).toBe(WireText.of([...first, ...second]).toString());
  });
  fc.assert(property, { seed: firstSeed, numRuns: runs(100) });
});
