import { afterEach, expect, it } from "vitest";
import { inboxOf } from "../../contracts/store-lab.ts";
import { watchingInboxes } from "../../support/inbox-watch.ts";
import { type RunningEngine, startEngine } from "../../support/memory-engine.ts";
import { tally } from "../../support/tally.ts";
import { embeddedWorld, memoryWorld, type World } from "../../support/world.ts";

const batchMessages = 2;
/** What the engine looks at with one batch. */
const share = 8;

let engine: RunningEngine | undefined;
let world: World | undefined;

afterEach(async () => {
  await engine?.stop();
  await world?.end();
});

const worlds = { memory: async () => memoryWorld(), SQLite: embeddedWorld };

it.each(["memory", "SQLite"] as const)(
  "an inbox of more than one batch's share is forgotten in parts, and never read as a whole, in %s",
  async (kind) => {
    const here = watchingInboxes(await worlds[kind]());
    world = here;
    const setUp = { workflows: [tally], limits: { batchMessages } };
    engine = await startEngine(here, setUp);
    await engine.client.start({ workflow: "tally", id: "a", input: {} });
    const add = async (number: number) => {
      const event = { workflow: "tally", id: "a", type: "tally.add", payload: { number } };
      await engine?.client.send({ ...event, idempotencyKey: `m${number}` });
    };
    for (let number = 0; number < 50; number += 1) await add(number);
    await engine.stop();
    here.skip(49 * 3_600_000);
    engine = await startEngine(here, setUp);
    for (let number = 50; number < 75; number += 1) await add(number);
    const pages = here.calls.filter(({ what }) => what === "page").map(({ ids }) => ids);
    expect(Math.max(...pages)).toBeLessThanOrEqual(share);
    expect(pages.reduce((sum, ids) => sum + ids, 0)).toBe(50);
    const store = here.store();
    const remembered = (
      await Promise.all([0, 1].map((number) => inboxOf(store, number, "tally/a")))
    ).flat();
    const young = Array.from({ length: 25 }, (_, index) => `m${50 + index}`);
    expect(remembered.map(({ id }) => id).toSorted()).toEqual(young);
    // Once it is through, it looks again a window later.
    const looked = here.calls.length;
    await add(75);
    expect(here.calls.length).toBe(looked);
  },
);
