import { describe, expect, it } from "vitest";
import { firstCatch, report, runSeeds } from "./campaign.ts";
import { mutants } from "./mutants.ts";
import { simulate } from "./simulate.ts";

const seeds = 200;

describe("the engine under simulated faults", () => {
  it("keeps every promise through crashes, freezes, and lost, late and doubled messages", async () => {
    const { failed, faults, commits } = await runSeeds(1, seeds);
    const [first] = failed;
    if (first !== undefined) throw new Error(await report(first.seed));
    expect(commits).toBeGreaterThan(seeds * 50);
    // A run without these would prove nothing.
    for (const what of ["kill", "freeze", "stop", "broker", "store ghost", "broker doubled"]) {
      expect(faults[what], what).toBeGreaterThan(seeds / 6);
    }
  });

  it("goes the same way again from the same seed, line by line", async () => {
    const [once, again] = [
      await simulate({ seed: 7, traced: true }),
      await simulate({ seed: 7, traced: true }),
    ];
    expect(once.trace.length).toBeGreaterThan(100);
    expect(again.trace).toEqual(once.trace);
    expect(again).toEqual(once);
  });
});

describe("the checks of the simulation", () => {
  it.each(mutants)("notice a system in which $name", async (mutant) => {
    expect(await firstCatch(mutant, 300)).toBeDefined();
  });
});
