import { describe, expect, it } from "vitest";
import { sleep } from "../../../src/clock.ts";
import { useEngines } from "../../support/engines.ts";
import { eventually } from "../../support/memory-engine.ts";
import { tally } from "../../support/tally.ts";
import { count, expectNumbers, startTallies } from "../../support/tally-run.ts";

const engines = useEngines({ workflows: [tally], partitions: 16 });

describe("a partition that goes to another process and comes back", () => {
  it("is not taken for one whose commits the store has lost", async () => {
    const first = await engines.start();
    await startTallies(first);
    await count(0, 3, first);
    const second = await engines.start();
    await eventually(() => expect(second.seen("partition").length).toBeGreaterThan(0));
    await count(3, 6, first);
    // By now the first has looked at what the second has made of its commits.
    await sleep(engines.world.clock, 6_000);
    await count(6, 9, first);
    await second.stop();
    await count(9, 12, first);
    await expectNumbers(12, first);
    expect(first.seen("rollback")).toEqual([]);
  });
});
