import { expect, it } from "vitest";
import type { Arrival } from "../../../src/engine/arrival.ts";
import type { InstanceCache } from "../../../src/engine/instance-cache.ts";
import { Newcomers } from "../../../src/engine/newcomers.ts";

const arrival = (kind: "start" | "event", key: string) => ({ kind, key }) as Arrival;

it("takes for new what starts and is not at hand, until the store refuses it", () => {
  const cache = { has: (key: string) => key === "a/known" } as unknown as InstanceCache;
  const newcomers = new Newcomers(cache);
  const arrivals = [
    arrival("start", "a/new"),
    arrival("event", "a/new"),
    arrival("start", "a/known"),
    arrival("event", "a/old"),
    arrival("start", "a/old"),
    arrival("event", ""),
  ];
  expect(newcomers.among(arrivals)).toEqual({
    known: new Set(["a/known", "a/old"]),
    presumed: ["a/new"],
  });
  newcomers.refused(["a/new"]);
  expect(newcomers.among(arrivals).presumed).toEqual([]);
  newcomers.committed();
  expect(newcomers.among(arrivals).presumed).toEqual(["a/new"]);
});
