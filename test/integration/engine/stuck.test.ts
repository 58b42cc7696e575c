import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { setup } from "xstate";
import { z } from "zod";
import { defineWorkflow } from "../../../src/workflow.ts";
import { inState, type RunningEngine, startEngine } from "../../support/memory-engine.ts";
import { memoryWorld } from "../../support/world.ts";

/** A payment whose author forgot what follows a refusal. */
const payment = defineWorkflow({
  name: "payment",
  version: "1",
  events: {
    "payment.refused": z.object({}),
    "payment.asked": z.object({}),
    "payment.made": { schema: z.object({}), unaccepted: "defer" as const },
  },
  machine: setup({}).createMachine({
    initial: "open",
    states: {
      open: { on: { "payment.refused": "refused", "payment.asked": "asked" } },
      asked: { on: { "payment.made": "paid" } },
      refused: {},
      paid: { type: "final" },
    },
  }),
});

let engine: RunningEngine;
beforeEach(async () => {
  engine = await startEngine(memoryWorld(), { workflows: [payment] });
});
afterEach(() => engine.stop());

const at = (id: string) => ({ workflow: "payment", id });
const start = (id: string) => engine.client.start({ ...at(id), input: {} });
const send = (id: string, type: string) =>
  engine.client.sendAsync({ ...at(id), type, payload: {} });

describe("an instance that comes to rest for good", () => {
  it("is listed, counted and told of once, with what to do", async () => {
    await start("fine");
    await start("lost");
    await send("lost", "payment.refused");
    const view = await inState(engine, "payment/lost", "refused");
    expect(view).toMatchObject({ status: "active", stuck: true });
    const { items } = await engine.client.list({ workflow: "payment", stuck: true });
    expect(items.map(({ id }) => id)).toEqual(["lost"]);
    const { counts } = await engine.client.workflow("payment");
    expect(counts).toMatchObject({ "stuck:true": 1, "status:active": 2 });
    // An event that it has no use for is kept, and nothing is told again.
    await send("lost", "payment.made");
    await expect
      .poll(async () => (await engine.client.get("payment", "lost")).waiting, { timeout: 20_000 })
      .toBe(1);
    expect(engine.seen("stuck")).toEqual([
      {
        kind: "stuck",
        key: "payment/lost",
        state: "refused",
        message: expect.stringMatching(/^payment\/lost is stuck in refused\. .*terminate/),
      },
    ]);
  });

  it("is stuck no longer once an operator has ended it", async () => {
    await start("lost");
    await send("lost", "payment.refused");
    await inState(engine, "payment/lost", "refused");
    const ended = await engine.client.terminate(at("lost"));
    expect(ended).not.toHaveProperty("stuck");
    expect((await engine.client.list({ workflow: "payment", stuck: true })).items).toEqual([]);
  });
});

describe("an event that is kept waiting", () => {
  it("is in the index with the hour in which the waiting began, until nothing waits", async () => {
    const count = () => engine.ports.store.count("payment");
    await start("early");
    await send("early", "payment.made");
    await expect.poll(count, { timeout: 20_000 }).toMatchObject({ "waiting:true": 1 });
    const hours = Object.keys(await count()).filter((term) =>
      /^waiting:\d{4}-\d\d-\d\dT\d\d$/.test(term),
    );
    expect(hours).toHaveLength(1);
    const { counts } = await engine.client.workflow("payment");
    expect(Object.keys(counts)).not.toContain(hours[0]);
    await send("early", "payment.asked");
    await inState(engine, "payment/early", "paid");
    expect(Object.keys(await count()).filter((term) => term.startsWith("waiting"))).toEqual([]);
  });
});
