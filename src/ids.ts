import { createHash, randomBytes } from "node:crypto";

/** Where new identifiers come from: a port, so that a simulated run gives the same ones twice. */
export interface Ids {
  /** A new UUID (RFC 9562), version 7: ordered by time of creation. */
  next(): string;
}

const randomPerId = 10;

/** Asking the system for random bytes once for every id took 3 % of an engine's CPU. */
class RandomPool {
  #bytes = Buffer.alloc(0);
  #used = 0;

  take(count: number): Uint8Array {
    if (this.#used + count > this.#bytes.length) {
      this.#bytes = randomBytes(count * 400);
      this.#used = 0;
    }
    this.#used += count;
    return this.#bytes.subarray(this.#used - count, this.#used);
  }
}

const pool = new RandomPool();

/** Random, time-ordered identifiers of this process. */
export const systemIds: Ids = {
  next: () => uuidV7(Date.now(), pool.take(randomPerId)),
};

/** RFC 9562 UUID version 7 from a time in milliseconds and 10 random bytes. */
export function uuidV7(timeMs: number, random: Uint8Array): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(timeMs, 0, 6);
  bytes.set(random.subarray(0, 10), 6);
  return stamped(bytes, 7);
}

/** RFC 9562 UUID version 5 of `name` within `namespace`: the same two always give the same id. */
export function uuidV5(namespace: string, name: string): string {
  const hash = createHash("sha1").update(`${namespace}\n${name}`).digest();
  return stamped(hash.subarray(0, 16), 5);
}

function stamped(bytes: Buffer, version: 5 | 7): string {
  bytes[6] = (version << 4) | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join("-");
}
