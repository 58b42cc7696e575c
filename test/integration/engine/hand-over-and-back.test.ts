import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sleep } from "../../../src/clock.ts";
import { eventually, type RunningEngine, startEngine } from "../../support/memory-engine.ts";
import { tally } from "../../support/tally.ts";
import { count, expectNumbers, startTallies } from "../../support/tally-run.ts";
import { memoryWorld } from "../../support/world.ts";

const setup = { workflows: [tally], partitions: 16 };

let world: ReturnType<typeof memoryWorld>;
const engines: RunningEngine[] = [];

beforeEach(() => {
  world = memoryWorld({ speed: 10 });
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
  await world.end();
});

async function start(): Promise<RunningEngine> {
  const engine = await startEngine(world, setup);
  engines.push(engine);
  return engine;
}

describe("a partition that goes to another process and comes back", () => {
  it("is not taken for one whose commits the store has lost", async () => {
    const first = await start();
    await startTallies(first);
    await count(0, 3, first);
    const second = await start();
    await eventually(() => expect(second.seen("partition").length).toBeGreaterThan(0));
    await count(3, 6, first);
    // By now the first has looked at what the second has made of its commits.
    await sleep(world.clock, 6_000);
    await count(6, 9, first);
    await second.stop();
    await count(9, 12, first);
    await expectNumbers(12, first);
    expect(first.seen("rollback")).toEqual([]);
  });
});
