/**
 * Keeps at least the `capacity` entries that were used last, and at most twice as many. With one map in order of use,
 * the taking out and putting back took 3 % of an engine's CPU.
 */
export class RecentlyUsed<Value> {
  readonly #capacity: number;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    let size = this.#young.size;
    for (const key of this.#old.keys()) if (!this.#young.has(key)) size += 1;
    return size;
  }

  has(key: string): boolean {
    return this.#young.has(key) || this.#old.has(key);
  }

  /** Looking at an entry is using it. */
  get(key: string): Value | undefined {
    if (this.#young.has(key) || !this.#old.has(key)) return this.#young.get(key);
    const value = this.#old.get(key) as Value;
    this.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.#young.set(key, value);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  /** Lets go of those that were not used for longest. */
  trim(): void {
    if (this.#young.size < this.#capacity) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}
