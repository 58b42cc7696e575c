import type { Clock } from "../clock.ts";
import { WaybillError } from "../errors.ts";
import type { Store } from "../store.ts";
import { within } from "./deadline.ts";
import { corruptRecord, decodeInstance, type Instance } from "./instance.ts";
import { RecentlyUsed } from "./recently-used.ts";
import type { Registry } from "./registry.ts";

interface CacheOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly partition: number;
  readonly storeDeadlineMs: number;
}

/** Keeping instances hot saves a fifth of the CPU of a step; what it truly saves is the read. */
const capacity = 1_000;

/** The instances of one partition, as last committed by its owner. */
export class InstanceCache {
  readonly #options: CacheOptions;
  /** The value is undefined when the store has none. */
  readonly #instances = new RecentlyUsed<Instance | undefined>(capacity);
  /** Why the record of a key cannot be read. */
  readonly corrupt = new Map<string, WaybillError>();

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#instances.size;
  }

  /** The instances of these keys, read from the store where they are not at hand. */
  async load(keys: ReadonlySet<string>): Promise<Map<string, Instance | undefined>> {
    const missing = [...keys].filter((key) => !this.#instances.has(key));
    if (missing.length > 0) await this.#read(missing);
    const found = new Map<string, Instance | undefined>();
    for (const key of keys) found.set(key, this.#instances.get(key));
    return found;
  }

  /** Whether it is known what the store has of this key. */
  has(key: string): boolean {
    return this.#instances.has(key);
  }

  get(key: string): Instance | undefined {
    return this.#instances.get(key);
  }

  set(key: string, instance: Instance | undefined): void {
    this.#instances.set(key, instance);
  }

  forget(keys: Iterable<string>): void {
    for (const key of keys) {
      this.#instances.delete(key);
      this.corrupt.delete(key);
    }
  }

  /** Lets go of those that were not used for longest. */
  trim(): void {
    this.#instances.trim();
  }

  async #read(keys: readonly string[]): Promise<void> {
    const { store, clock, registry, partition, storeDeadlineMs } = this.#options;
    const loading = store.load(partition, keys);
    const stored = await within(clock, storeDeadlineMs, loading, "The store");
    for (const [index, key] of keys.entries()) {
      const record = stored[index];
      this.corrupt.delete(key);
      try {
        const instance = record === undefined ? undefined : decodeInstance(record, registry);
        this.#instances.set(key, instance);
      } catch (error) {
        this.corrupt.set(key, error instanceof WaybillError ? error : corruptRecord(key, error));
        this.#instances.delete(key);
      }
    }
  }
}
