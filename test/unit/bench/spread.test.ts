import { expect, test } from "vitest";
import {
  hashTag,
  loadsBy,
  loadsOfMasters,
  loadsOfProcesses,
  maxOverMean,
  slotOf,
  sum,
  withHot,
  zipf,
} from "../../../bench/spread.ts";
import { ownersOf } from "../../../src/engine/rendezvous.ts";
import { partitionOf } from "../../../src/routing.ts";
import { redisKeys } from "../../../src/stores/redis/keys.ts";

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

test("A process has what the partitions it owns have", () => {
  const ids = ["a", "b", "c"];
  const loads = zipf(32, 1);
  const owners = ownersOf(32, ids);
  const loadOf = (id: string) => sum(loads.filter((_, partition) => owners[partition] === id));
  const found = loadsOfProcesses(loads, ids);
  for (const [index, id] of ids.entries()) expect(found[index]).toBeCloseTo(loadOf(id), 9);
});

test("Masters of Redis share all that the partitions have", () => {
  const loads = loadsOfMasters(zipf(128, 0.8), "cell-7", 6);
  expect(sum(loads)).toBeCloseTo(1, 9);
  expect(Math.min(...loads)).toBeGreaterThan(0);
});
