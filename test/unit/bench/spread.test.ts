import { expect, test } from "vitest";
import {
  hashTag,
  loadsBy,
  loadsOfMasters,
  loadsOfProcesses,
  maxOverMean,
  moveLargest,
  movesToLevel,
  type Placement,
  placedByHash,
  slotOf,
  split,
  withHot,
  zipf,
} from "../../../bench/spread.ts";
import { ownerOf } from "../../../src/engine/rendezvous.ts";
import { partitionOf } from "../../../src/routing.ts";
import { redisKeys } from "../../../src/stores/redis/keys.ts";
import { Seeded } from "../../support/seeded.ts";

test("100,000 equal instances load the busiest of 128 partitions less than 15 % over the mean", () => {
  const loads = loadsBy(zipf(100_000, 0), 128, (index) =>
    partitionOf(`order/acme-${String(index).padStart(6, "0")}`, 128),
  );
  expect(loads).toHaveLength(128);
  expect(sum(loads)).toBeCloseTo(1, 9);
  expect(maxOverMean(loads)).toBeGreaterThan(1);
  expect(maxOverMean(loads)).toBeLessThan(1.15);
});

test("Zipf's law: equal at 0, and the first has twice the second at 1", () => {
  expect(zipf(4, 0)).toEqual([0.25, 0.25, 0.25, 0.25]);
  const [first = 0, second = 0] = zipf(1_000, 1);
  expect(first / second).toBeCloseTo(2, 9);
  expect(sum(zipf(1_000, 1.1))).toBeCloseTo(1, 9);
  expect(withHot([0.5, 0.5], 0.2)).toEqual([0.2, 0.4, 0.4]);
});

test("Slots are those of Redis Cluster", () => {
  // The check value of CRC16/XMODEM, and what CLUSTER KEYSLOT answers for two keys.
  expect(["123456789", "foo", "somekey"].map(slotOf)).toEqual([0x31c3, 12_182, 11_058]);
});

test("The hash tag is that of the store's own keys", () => {
  for (const partition of [0, 7, 31, 127]) {
    const [, tag] = /\{(.*)\}/.exec(redisKeys("cell-7").head(partition)) ?? [];
    expect(hashTag("cell-7", partition)).toBe(tag);
  }
});

test("A process has what the partitions it owns have, and who joins takes only for itself", () => {
  for (let partition = 0; partition < 32; partition += 1) {
    const loads = Array.from({ length: 32 }, (_, other) => (other === partition ? 1 : 0));
    const ownerAmong = (ids: readonly string[]) => ids[loadsOfProcesses(loads, ids).indexOf(1)];
    expect(ownerAmong(["a", "b"])).toBe(ownerOf(partition, ["a", "b"]));
    expect([ownerAmong(["a", "b"]), "c"]).toContain(ownerAmong(["a", "b", "c"]));
  }
});

test("Masters of Redis share all that the partitions have", () => {
  const loads = loadsOfMasters(zipf(128, 0.8), "cell-7", 6);
  expect(sum(loads)).toBeCloseTo(1, 9);
  expect(Math.min(...loads)).toBeGreaterThan(0);
});

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

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
