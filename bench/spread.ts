import { ownersOf } from "../src/engine/rendezvous.ts";

const slots = 16_384;

/** The shares of `count` things by Zipf's law, the largest first: the i-th has i^-exponent; they add up to 1. */
export function zipf(count: number, exponent: number): readonly number[] {
  const weights = Array.from({ length: count }, (_, index) => (index + 1) ** -exponent);
  const whole = sum(weights);
  return weights.map((weight) => weight / whole);
}

/** The same with one thing more in the first place that has this share of all. */
export function withHot(shares: readonly number[], hot: number): readonly number[] {
  return [hot, ...shares.map((share) => share * (1 - hot))];
}

/** How much more the busiest has than it would if all had the same: 1 is even. */
export function maxOverMean(loads: readonly number[]): number {
  return (Math.max(...loads) * loads.length) / sum(loads);
}

/** Adds up shares by where each belongs. */
export function loadsBy(
  shares: readonly number[],
  places: number,
  placeOf: (index: number) => number,
): readonly number[] {
  const loads = Array.from({ length: places }, () => 0);
  for (const [index, share] of shares.entries()) {
    const place = placeOf(index);
    loads[place] = (loads[place] ?? 0) + share;
  }
  return loads;
}

/** The load of each process, when the engine's own rule gives each partition its owner. */
export function loadsOfProcesses(
  partitions: readonly number[],
  processes: readonly string[],
): readonly number[] {
  const owners = ownersOf(partitions.length, processes);
  return loadsBy(partitions, processes.length, (partition) =>
    processes.indexOf(owners[partition] ?? ""),
  );
}

/** What stands between the braces of a partition's keys in the Redis store. */
export function hashTag(prefix: string, partition: number): string {
  return `${prefix}:p${String(partition).padStart(2, "0")}`;
}

/** The slot of a key with this hash tag in Redis Cluster: CRC16 (XMODEM) modulo 16384. */
export function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff;
    }
  }
  return crc % slots;
}

/** The load of each master, when each has an equal range of slots, as `redis-cli --cluster create` gives them. */
export function loadsOfMasters(
  partitions: readonly number[],
  prefix: string,
  masters: number,
): readonly number[] {
  return loadsBy(partitions, masters, (partition) =>
    Math.floor((slotOf(hashTag(prefix, partition)) * masters) / slots),
  );
}

/** All of them together. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
