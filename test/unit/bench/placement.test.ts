import { expect, test } from "vitest";
import {
  moveLargest,
  movesToLevel,
  type Placement,
  placedByHash,
  split,
} from "../../../bench/placement.ts";
import { sum, zipf } from "../../../bench/spread.ts";
import { Seeded } from "../../support/seeded.ts";

test("A tenant that is divided keeps its traffic, in parts within the limit", () => {
  const parts = split(
    zipf(1_000, 1.1).map((share, index) => ({ name: `t${index}`, share })),
    0.0025,
  );
  expect(sum(parts.map(({ share }) => share))).toBeCloseTo(1, 9);
  expect(Math.max(...parts.map(({ share }) => share))).toBeLessThanOrEqual(0.0025);
  expect(new Set(parts.map(({ name }) => name)).size).toBe(parts.length);
});

test("Moving one tenant more never makes the busiest cell busier, and loses nobody", () => {
  for (const exponent of [0, 0.8, 1.1]) {
    for (let seed = 1; seed <= 20; seed += 1) {
      const placement = hashed(new Seeded(seed), exponent);
      let most = Math.max(...placement.loads);
      for (let count = 1; count <= placement.units.length; count += 1) {
        const moved = moveLargest(placement, count);
        const now = Math.max(...moved.loads);
        expect(now).toBeLessThanOrEqual(most + 1e-12);
        expect(sum(moved.loads)).toBeCloseTo(1, 9);
        most = now;
      }
    }
  }
});

test("Moves level what small tenants have tilted, in as many as it takes by hand", () => {
  const units = [0.3, 0.3, 0.2, 0.2].map((share, index) => ({ name: `t${index}`, share }));
  const tilted = { units, cellOf: [0, 0, 0, 1], loads: [0.8, 0.2] };
  expect(movesToLevel(tilted, 1.2)).toBe(1);
  expect(movesToLevel({ ...tilted, cellOf: [0, 0, 0, 0], loads: [1, 0] }, 1.2)).toBe(2);
  expect(movesToLevel({ ...tilted, cellOf: [0, 1, 0, 1], loads: [0.5, 0.5] }, 1.2)).toBe(0);
  const three = [0.3, 0.15, 0.3, 0.25].map((share, index) => ({ name: `t${index}`, share }));
  const tight = { units: three, cellOf: [0, 0, 1, 2], loads: [0.45, 0.3, 0.25] };
  expect(movesToLevel(tight, 1.25)).toBe(1);
});

test("No move helps against a tenant that is larger than a cell; its parts can be levelled", () => {
  const units = zipf(1_000, 1.1).map((share, index) => ({ name: `t${index}`, share }));
  expect(movesToLevel(placedByHash(units, 20), 1.2)).toBeNaN();
  expect(movesToLevel(placedByHash(split(units, 0.25 / 20), 20), 1.2)).toBeGreaterThan(0);
});

function hashed(seeded: Seeded, exponent: number): Placement {
  const units = zipf(60, exponent).map((share) => ({ name: `t${seeded.below(1e9)}`, share }));
  return placedByHash(units, 8);
}
