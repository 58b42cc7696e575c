import { describe, expect, it } from "vitest";
import { assign, setup } from "xstate";
import { activity } from "../../../src/activity.ts";
import { defineWorkflow } from "../../../src/workflow.ts";
import { useEngines } from "../../support/engines.ts";
import { eventually, inState, startWorker } from "../../support/memory-engine.ts";
import { takeStore } from "../../support/take-store.ts";

/** Waits for a time, then for an activity. */
const late = defineWorkflow({
  name: "late",
  version: "1",
  events: {},
  machine: setup({
    types: { context: {} as { result: unknown } },
    actors: { work: activity({ local: false }) },
  }).createMachine({
    context: { result: null },
    initial: "waiting",
    states: {
      waiting: { after: { 500: "working" } },
      working: {
        invoke: {
          id: "job",
          src: "work",
          input: {},
          onDone: { target: "done", actions: assign({ result: ({ event }) => event.output }) },
        },
      },
      done: {},
    },
  }),
});

const partitions = 1;
const engines = useEngines({ workflows: [late], partitions, limits: { leaseMs: 60_000 } });

describe("an owner that another has overtaken without its knowing", () => {
  it("acknowledges nothing, not even what says nothing to it", async () => {
    let runs = 0;
    const work = async () => {
      runs += 1;
      return runs;
    };
    const worker = await startWorker(engines.world, { late: { work } }, { partitions });
    const one = await engines.start();
    await one.client.start({ workflow: "late", id: "l", input: {} });
    const { store, trialRoom } = one.ports;
    takeStore(one, ["announce", "renew"]);
    store.due = async () => ({ now: await store.now(), rows: [] });
    const { data } = engines.world;
    data.members.delete(trialRoom.by);
    for (const partition of data.partitions) partition.leaseUntil = 0;
    const other = await engines.start();
    expect([one.owned(), other.owned()]).toEqual([[0], [0]]);
    // What comes of the activity reaches the one that consumes, which knows of no such activity.
    await inState(other, "late/l", "done");
    expect([runs, one.seen("set-aside")]).toEqual([1, []]);
    await eventually(() => expect(one.owned()).toEqual([]));
    await worker.stop();
  });
});
