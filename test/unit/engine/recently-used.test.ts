import { describe, expect, it } from "vitest";
import { RecentlyUsed } from "../../../src/engine/recently-used.ts";

function filled(count: number): RecentlyUsed<number> {
  const recent = new RecentlyUsed<number>(10);
  for (let index = 0; index < count; index += 1) {
    recent.set(`k${index}`, index);
    recent.trim();
  }
  return recent;
}

describe("what was used recently", () => {
  it("stays, up to the capacity, and there is never more than twice as much", () => {
    const recent = filled(1_000);
    const kept = Array.from({ length: 10 }, (_, index) => `k${999 - index}`);
    expect(kept.filter((key) => !recent.has(key))).toEqual([]);
    expect(recent.size).toBeLessThanOrEqual(20);
    expect(recent.has("k900")).toBe(false);
  });

  it("stays as long as it is looked at", () => {
    const recent = filled(1);
    for (let index = 1; index < 1_000; index += 1) {
      expect(recent.get("k0")).toBe(0);
      recent.set(`k${index}`, index);
      recent.trim();
    }
  });

  it("may be that there is nothing, and is gone when it is deleted", () => {
    const recent = new RecentlyUsed<string | undefined>(10);
    recent.set("none", undefined);
    recent.set("some", "value");
    expect([recent.has("none"), recent.get("none"), recent.size]).toEqual([true, undefined, 2]);
    recent.delete("some");
    expect([recent.has("some"), recent.get("some"), recent.size]).toEqual([false, undefined, 1]);
  });
});
