import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../src/stores/memory/store.ts";
import { emptyStoreData } from "../../src/stores/memory/store-data.ts";
import { storeContract } from "./store-contract.ts";

describe("the memory store", () => {
  storeContract(async () => {
    const data = emptyStoreData();
    let now = 1_763_800_000_000;
    return {
      connect: () => new MemoryStore(data, { clock: { now: () => now } }),
      advance: async (ms) => {
        now += ms;
      },
      dispose: async () => {},
    };
  });

  test("promises nothing", () => {
    const store = new MemoryStore(emptyStoreData(), { clock: { now: () => 0 } });
    expect(store.durability()).toBe("memory");
  });
});
