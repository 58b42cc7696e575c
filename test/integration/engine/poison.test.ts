import { describe, expect, it } from "vitest";
import { assign, sendTo, setup } from "xstate";
import { z } from "zod";
import { defineWorkflow } from "../../../src/workflow.ts";
import { useDesk } from "../../support/diary.ts";
import { deadLetter, eventually, startEngine } from "../../support/memory-engine.ts";

const desk = useDesk();

describe("an event that makes the machine throw", () => {
  it("is refused to a requester and changes nothing", async () => {
    await desk.start();
    await expect(desk.send("diary.break")).rejects.toMatchObject({ code: "event-threw" });
    expect(await desk.engine.client.get("diary", "d")).toMatchObject({
      status: "active",
      version: 1,
    });
  });

  it("fails its instance, which keeps it first in line and later events behind it, while its neighbours go on", async () => {
    await desk.start();
    await desk.start("e");
    await desk.sendAsync("diary.break", {}, { idempotencyKey: "m1" });
    for (const text of ["a", "b"]) await desk.sendAsync("diary.note", { text });
    await desk.engine.client.send({ workflow: "diary", id: "e", type: "diary.open", payload: {} });
    expect(await deadLetter(desk.engine, "m1")).toMatchObject({
      reason: "poison",
      detail: expect.stringContaining("the spine is broken"),
    });
    await eventually(async () =>
      expect(await desk.engine.client.get("diary", "d")).toMatchObject({
        status: "failed",
        version: 1,
        waiting: 3,
        error: { message: expect.stringContaining("the spine is broken") },
        accepts: [],
      }),
    );
    expect(await desk.send("diary.open")).toMatchObject({ outcome: "held" });
    expect(desk.engine.seen("failed")).toHaveLength(1);
  });

  it("counts as such when what it emits does not fit its schema", async () => {
    await desk.start();
    await expect(desk.send("diary.spoil")).rejects.toMatchObject({
      code: "event-threw",
      message: expect.stringContaining("diary.copied that does not fit its schema (/pages"),
    });
  });
});

describe("what would break the plan itself", () => {
  const brittle = z.object({
    text: z.string().transform((text) => {
      if (text === "bad") throw new Error("the schema is broken");
      return text;
    }),
  });
  const vase = defineWorkflow({
    name: "vase",
    version: "1",
    events: { "vase.fill": brittle, "vase.drop": z.object({}), "vase.tip": z.object({}) },
    internal: ["vase.crash"],
    attributes: ({ text }) => ({ first: text.slice(0, 1).toUpperCase() }),
    machine: setup({
      types: {
        context: {} as { text: string },
        events: {} as
          | { type: "vase.fill"; text: string }
          | { type: "vase.drop" | "vase.tip" | "vase.crash" },
      },
      guards: {
        breaks: () => {
          throw Object.assign(new Error("in pieces"), { loop: globalThis });
        },
      },
    }).createMachine({
      context: { text: "" },
      on: {
        "vase.fill": { actions: assign({ text: ({ event }) => event.text }) },
        "vase.drop": { actions: assign({ text: 5 as unknown as string }) },
        "vase.tip": { actions: sendTo(({ self }) => self, { type: "vase.crash" }) },
        "vase.crash": { guard: "breaks" },
      },
    }),
  });
  const engineWith = async () => {
    desk.engine = await startEngine(desk.world, { workflows: [vase] });
    await desk.engine.client.start({ workflow: "vase", id: "v", input: {} });
  };
  const sendAsync = (
    type: string,
    payload: Readonly<Record<string, unknown>>,
    idempotencyKey: string,
  ) => desk.engine.client.sendAsync({ workflow: "vase", id: "v", type, payload, idempotencyKey });
  const noPartitionWasLost = () =>
    expect(desk.engine.seen("partition").filter(({ change }) => change === "lost")).toEqual([]);

  it("is parked alone when a schema throws, and its neighbours in the batch are applied", async () => {
    await desk.engine.stop();
    await engineWith();
    const headers = { "x-waybill-instance": "vase/v" };
    for (const text of ["a", "bad", "b"]) {
      const message = { id: text, type: "vase.fill", body: JSON.stringify({ text }), headers };
      await desk.shop.publish({ routingKey: "vase.fill", message });
    }
    expect(await deadLetter(desk.engine, "bad")).toMatchObject({
      reason: "poison",
      detail: expect.stringContaining("validates asynchronously"),
      body: '{"text":"bad"}',
    });
    await eventually(async () =>
      expect(await desk.engine.client.get("vase", "v")).toMatchObject({ context: { text: "b" } }),
    );
    noPartitionWasLost();
  });

  it("fails the instance when its attributes throw", async () => {
    await desk.engine.stop();
    await engineWith();
    await sendAsync("vase.drop", {}, "m1");
    expect(await deadLetter(desk.engine, "m1")).toMatchObject({
      detail: expect.stringContaining("its attributes throw"),
    });
    expect(await desk.engine.client.get("vase", "v")).toMatchObject({
      status: "failed",
      version: 1,
    });
    noPartitionWasLost();
  });

  it("fails the instance when an event throws that it has sent to itself, whatever the error holds", async () => {
    await desk.engine.stop();
    await engineWith();
    await sendAsync("vase.tip", {}, "m1");
    await eventually(async () =>
      expect(await desk.engine.client.get("vase", "v")).toMatchObject({
        status: "failed",
        version: 2,
        waiting: 1,
        error: { message: expect.stringContaining("in pieces") },
      }),
    );
    noPartitionWasLost();
  });
});
