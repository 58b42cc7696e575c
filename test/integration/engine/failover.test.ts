import { describe, expect, it } from "vitest";
import { useEngines } from "../../support/engines.ts";
import { eventually, type RunningEngine } from "../../support/memory-engine.ts";
import { takeStore } from "../../support/take-store.ts";
import { tally } from "../../support/tally.ts";
import {
  count,
  expectNumbers,
  ids,
  snapshotOf,
  startTallies,
  sums,
} from "../../support/tally-run.ts";

const engines = useEngines({ workflows: [tally], partitions: 2 });

const calls = ["announce", "claim", "renew", "commit", "due", "load", "outbox"] as const;

/** The leases that the store remembers are over, and nobody lives. */
function endLeases(): void {
  const { data } = engines.world;
  data.members.clear();
  for (const partition of data.partitions) partition.leaseUntil = 0;
}

describe("after a failover those claim first who know what was lost, whoever finds the new store first", () => {
  it.each([
    [
      "longer",
      async (of: readonly RunningEngine[]) => {
        await eventually(() => expect(of.flatMap((one) => one.owned())).toEqual([]));
      },
    ],
    ["much shorter", async () => undefined],
  ])("when it takes %s than the leases", async (_, outage) => {
    engines.anew({ speed: 2 });
    const one = await engines.start();
    const other = await engines.start();
    const owned = () => new Set([...one.owned(), ...other.owned()]);
    const isShared = () => expect(owned()).toEqual(new Set([0, 1]));
    await eventually(isShared);
    const [late, early] = one.owned().length > 0 ? [one, other] : [other, one];
    await startTallies(one);
    await count(0, 2, one);
    const goBack = snapshotOf(engines.world.data);
    await count(2, 4, one);
    const giveBack = { early: takeStore(early, calls), late: takeStore(late, calls) };
    await outage([one, other]);
    goBack();
    endLeases();
    giveBack.early();
    await eventually(() => expect(engines.world.data.members.size).toBe(1));
    giveBack.late();
    await count(4, 6, one);
    await expectNumbers(6, one);
    await eventually(isShared);
    expect([sums(one).lost, sums(other).lost]).toEqual([0, 0]);
    expect(sums(one).restored + sums(other).restored).toBeGreaterThanOrEqual(2 * ids.length);
  });
});
