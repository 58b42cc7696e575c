import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Numbered } from "../../../../transports/rabbitmq/numbered.ts";
import { firstSeed, runs } from "../../../support/fuzz-budget.ts";

/** What to do next: add so many, some numbers apart, or take the one at this place among all there ever were. */
const deed = fc.oneof(
  fc.record({ add: fc.integer({ min: 1, max: 400 }), apart: fc.constantFrom(1, 1, 1, 3) }),
  fc.record({ takeFirst: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ take: fc.double({ min: 0, max: 1, noNaN: true }) }),
);

test("holds what a map would, in the same order, whatever is taken and however far behind one stays", () => {
  const property = fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
    const numbered = new Numbered<string>();
    const expected = new Map<number, string>();
    let next = 1;
    const take = (number: number): void => {
      expect(numbered.take(number)).toBe(expected.get(number));
      expected.delete(number);
    };
    for (const one of deeds) {
      if ("add" in one) {
        for (let count = 0; count < one.add; count += 1, next += one.apart) {
          numbered.add(next, `${next}`);
          expected.set(next, `${next}`);
        }
      } else if ("take" in one) take(Math.floor(one.take * next));
      else for (const number of [...expected.keys()].slice(0, one.takeFirst)) take(number);
      expect(numbered.size).toBe(expected.size);
      expect([...numbered]).toEqual([...expected.values()]);
      const [first = numbered.first] = expected.keys();
      expect(numbered.first).toBe(first);
    }
  });
  fc.assert(property, { seed: firstSeed, numRuns: runs(100) });
});

test("one that stays behind costs nothing, however many come and go after it", () => {
  const numbered = new Numbered<number>();
  let wrong = 0;
  for (let number = 1; number <= 100_000; number += 1) {
    numbered.add(number, number);
    if (number !== 7 && numbered.take(number) !== number) wrong += 1;
  }
  expect(wrong).toBe(0);
  expect([...numbered]).toEqual([7]);
  expect(numbered.first).toBe(7);
  expect(numbered.take(7)).toBe(7);
  expect(numbered.take(7)).toBeUndefined();
  expect(numbered.first).toBeGreaterThan(99_999);
});

test("a number that was there before is not held again, and after all is cleared the next ones are", () => {
  const numbered = new Numbered<string>();
  numbered.add(1, "a");
  numbered.add(1, "b");
  expect([...numbered]).toEqual(["a"]);
  numbered.clear();
  expect(numbered.size).toBe(0);
  numbered.add(2, "c");
  expect(numbered.take(2)).toBe("c");
});
