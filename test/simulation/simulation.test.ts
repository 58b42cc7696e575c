import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { without } from "./guard-cutter.ts";
import { mutants } from "./mutants.ts";
import { hunt, reportOf, spread } from "./pool.ts";
import { simulate } from "./simulate.ts";

const seeds = 500;
/** Deadlines for a machine with much else to do. */
const patienceMs = 600_000;

/** A run without these would prove nothing. */
const commonFaults = [
  "kill",
  "freeze",
  "stop",
  "join",
  "broker",
  "deploy both",
  "store cut",
  "store restart",
  "store clock forward",
  "store clock back",
  "store lost",
  "store unanswered",
  "store ghost",
  "store slow",
  "broker cut",
  "broker severed",
  "broker doubled",
  "broker nacked",
  "broker unconfirmed",
  "broker returned",
  "broker ghost",
  "broker slow",
  "hint lost",
  "dead letter: poison",
  "dead letter: too-old",
  "operator: suspend",
  "operator: redrive",
];

describe("the engine under simulated faults", () => {
  it(
    "keeps every promise through crashes, freezes, and lost, late and doubled messages",
    async () => {
      const { failed, faults, commits } = await spread({ from: 1, seeds });
      const [first] = failed;
      if (first !== undefined) throw new Error(await reportOf(first.seed, undefined));
      expect(commits).toBeGreaterThan(seeds * 50);
      for (const what of commonFaults) expect(faults[what], what).toBeGreaterThan(seeds / 10);
    },
    patienceMs,
  );

  it("goes the same way again from the same seed, line by line", async () => {
    const once = await simulate({ seed: 7, traced: true });
    const again = await simulate({ seed: 7, traced: true });
    expect(once.trace.length).toBeGreaterThan(100);
    expect(again.traceHash).toBe(once.traceHash);
    expect(again).toEqual(once);
  });
});

describe("the checks of the simulation", () => {
  it("find every guard that is to be cut out of the engine where it was", () => {
    const cuts = mutants.flatMap((mutant) => mutant.cuts ?? []);
    expect(cuts.length).toBeGreaterThan(10);
    for (const cut of cuts) {
      const source = readFileSync(new URL(`../../${cut.file}`, import.meta.url), "utf8");
      expect(without(source, cut)).not.toBe(source);
    }
  });

  it(
    "notice a system without one of its guards",
    async () => {
      const found = await hunt(quickMutants, 80);
      const missed = found.filter(({ caught }) => caught === undefined);
      expect(missed.map(({ mutant }) => mutant)).toEqual([]);
    },
    patienceMs,
  );
});

/** Those that few seeds are enough for; `npm run sim -- --mutants` hunts for all of them. */
const quickMutants = [
  "inbox",
  "outbox at a claim",
  "sweep and claim",
  "ack after commit",
  "effects after commit",
  "stable effect ids",
  "order",
  "due times",
  "dead letters",
  "disarming",
  "sweep",
  "commit id",
  "generation of timers",
  "generation of activities",
  "events without code",
  "lease before ack",
];
