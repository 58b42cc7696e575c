import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { emit, setup } from "xstate";
import { z } from "zod";
import { type ActivityArguments, activity } from "../../../src/activity.ts";
import { defineWorkflow } from "../../../src/workflow.ts";
import {
  eventually,
  inState,
  type RunningEngine,
  startEngine,
} from "../../support/memory-engine.ts";
import { memoryWorld, outsider, type World } from "../../support/world.ts";

const order = z.object({ item: z.string(), rush: z.boolean().optional() });
const runs: string[] = [];

const parcel = defineWorkflow({
  name: "parcel",
  version: "1",
  input: order,
  startedBy: ["parcel.ordered"],
  instanceId: (input) => {
    if (input.item === "nameless") throw new Error("it has no name");
    return input.item;
  },
  events: { "parcel.packed": z.object({}), "parcel.ordered": order },
  emits: { "parcel.started": z.object({ item: z.string() }) },
  machine: setup({
    types: {
      input: {} as z.infer<typeof order>,
      context: {} as z.infer<typeof order>,
      events: {} as { type: "parcel.packed" },
    },
    actors: {
      weigh: activity({
        run: async ({ input, signal }: ActivityArguments<string>) => {
          runs.push(input);
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          runs.push(`${input} aborted`);
        },
      }),
    },
  }).createMachine({
    context: ({ input }) => input,
    entry: emit(({ context }) => ({ type: "parcel.started", item: context.item })),
    initial: "waiting",
    states: {
      waiting: {
        invoke: { id: "weigh", src: "weigh", input: ({ context }) => context.item },
        on: { "parcel.packed": "packed" },
        after: { 1500: "late" },
      },
      packed: { type: "final" },
      late: {},
    },
  }),
});

let world: World;
let engine: RunningEngine;

beforeEach(async () => {
  runs.length = 0;
  world = memoryWorld();
  engine = await startEngine(world, { workflows: [parcel] });
});

afterEach(async () => {
  await engine.stop();
  await world.end();
});

const start = (
  input: unknown,
  more: Partial<Parameters<RunningEngine["client"]["start"]>[0]> = {},
) => engine.client.start({ workflow: "parcel", input, ...more });

describe("starting an instance whose id cannot be made", () => {
  it("is refused as an input that does not fit", async () => {
    await expect(start({ item: "nameless" })).rejects.toMatchObject({
      code: "invalid-payload",
      message: expect.stringContaining("it has no name"),
    });
  });
});

describe("starting an instance twice", () => {
  it("answers the one that is there when the input is the same, whatever the order of its keys", async () => {
    const first = await start({ item: "book", rush: true });
    expect(first.outcome).toBe("created");
    const again = await start({ rush: true, item: "book" });
    expect(again).toEqual({ outcome: "existing", instance: first.instance });
  });

  it("is refused when the input is another", async () => {
    await start({ item: "book" });
    await expect(start({ item: "book", rush: true })).rejects.toMatchObject({
      code: "exists",
      details: { instance: "parcel/book", version: 1 },
    });
  });

  it("answers the one that is there when asked to, even with another input", async () => {
    const first = await start({ item: "book" });
    const again = await start({ item: "book", rush: true }, { onConflict: "use-existing" });
    expect(again).toEqual({ outcome: "existing", instance: first.instance });
  });

  it("is refused when asked to, even with the same input", async () => {
    await start({ item: "book" });
    await expect(start({ item: "book" }, { onConflict: "reject" })).rejects.toMatchObject({
      code: "exists",
    });
  });

  it("answers a repeated request from the record, whatever it says about conflicts", async () => {
    const request = { idempotencyKey: "key-1", onConflict: "reject" } as const;
    const first = await start({ item: "book" }, request);
    const again = await start({ item: "book" }, request);
    expect(again).toEqual({ outcome: "existing", instance: first.instance });
  });

  it("is refused when the idempotency key stood for another input", async () => {
    await start({ item: "book" }, { id: "a", idempotencyKey: "key-1" });
    const again = start({ item: "lamp" }, { id: "a", idempotencyKey: "key-1" });
    await expect(again).rejects.toMatchObject({ code: "exists" });
  });

  it("makes one instance of two starts in the same batch", async () => {
    const both = await Promise.all([start({ item: "book" }), start({ item: "book" })]);
    expect(both.map(({ outcome }) => outcome).toSorted()).toEqual(["created", "existing"]);
    expect(engine.seen("started")).toHaveLength(1);
  });

  it("answers the one that has ended when the input is the same", async () => {
    await start({ item: "book" });
    await engine.client.send({
      workflow: "parcel",
      id: "book",
      type: "parcel.packed",
      payload: {},
    });
    const again = await start({ item: "book" });
    expect(again).toMatchObject({ outcome: "existing", instance: { status: "done" } });
  });
});

describe("a start that ends the existing instance", () => {
  const replace = (input: unknown) => start(input, { onConflict: "terminate-existing" });

  it("answers with the new one, whose version goes on from the old one's", async () => {
    const old = await start({ item: "book" });
    const answer = await replace({ item: "book", rush: true });
    expect(answer.outcome).toBe("created");
    expect(answer.instance).toMatchObject({ status: "active", context: { rush: true } });
    expect(answer.instance.version).toBeGreaterThan(old.instance.version);
    expect(engine.seen("ended")).toMatchObject([{ key: "parcel/book", status: "stopped" }]);
  });

  it("is told in the history", async () => {
    await start({ item: "book" });
    await replace({ item: "book" });
    const history = await engine.client.history("parcel", "book");
    expect(history.map(({ type }) => type)).toEqual([
      "waybill.start",
      "waybill.stop",
      "waybill.start",
    ]);
  });

  it("calls off the old one's timers: the new one's fire in their own time", async () => {
    await start({ item: "book" });
    await new Promise((resolve) => setTimeout(resolve, 700));
    const { instance } = await replace({ item: "book" });
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(await engine.client.get("parcel", "book")).toEqual(instance);
    const late = await inState(engine, "parcel/book", "late");
    expect(late.updatedAt - instance.createdAt).toBeGreaterThanOrEqual(1_500);
    expect(engine.seen("timer-fired")).toHaveLength(1);
  });

  it("aborts the old one's activities and drops what they answer", async () => {
    await start({ item: "book" });
    await eventually(() => expect(runs).toEqual(["book"]));
    await replace({ item: "book" });
    await eventually(() => expect(runs.toSorted()).toEqual(["book", "book", "book aborted"]));
    const { activities } = await engine.client.get("parcel", "book");
    expect(activities).toEqual([{ id: "weigh", name: "weigh", attempt: 1 }]);
  });

  it("gives each emitted message of both lives an id of its own", async () => {
    const gathered = await (await outsider(world)).gather("parcel.started");
    await start({ item: "book" });
    await replace({ item: "book" });
    await eventually(() => expect(gathered).toHaveLength(2));
    expect(new Set(gathered.map(({ id }) => id)).size).toBe(2);
  });
});

describe("a start", () => {
  it("takes its id from the idempotency key when neither the caller nor the workflow has one", async () => {
    const nameless = defineWorkflow({
      name: "nameless",
      version: "1",
      events: {},
      machine: setup({}).createMachine({}),
    });
    await engine.stop();
    engine = await startEngine(world, { workflows: [nameless] });
    const request = { workflow: "nameless", input: {}, idempotencyKey: "key-1" };
    const first = await engine.client.start(request);
    const again = await engine.client.start(request);
    expect(again.instance.id).toBe(first.instance.id);
    expect(first.instance.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
  });

  it("is refused against the input's schema, for an unknown workflow and for a bad id", async () => {
    await expect(start({ item: 5 })).rejects.toMatchObject({
      code: "invalid-payload",
      problems: [expect.stringMatching(/^\/item: /)],
    });
    const unknown = engine.client.start({ workflow: "nope", input: {} });
    await expect(unknown).rejects.toMatchObject({ code: "unknown-workflow" });
    await expect(start({ item: "a/b" })).rejects.toMatchObject({ code: "invalid-id" });
  });

  it("is taken from a message of another service, and answered with what its repetition is, too", async () => {
    const shop = await outsider(world);
    const message = { id: "m1", type: "parcel.ordered", body: '{"item":"lamp"}' };
    await shop.publish({ routingKey: "parcel.ordered", message });
    await inState(engine, "parcel/lamp", "waiting");
    await shop.publish({ routingKey: "parcel.ordered", message });
    await eventually(() =>
      expect(engine.seen("set-aside")).toMatchObject([{ outcome: "duplicate" }]),
    );
    expect(engine.seen("started")).toHaveLength(1);
  });

  it("is answered as soon as the broker has it, when asked so", async () => {
    const request = { workflow: "parcel", input: { item: "book" } };
    expect(await engine.client.startAsync(request)).toEqual({ outcome: "accepted", id: "book" });
    await inState(engine, "parcel/book", "waiting");
  });

  it("is refused as overloaded above the limit of the backlog, while events go through", async () => {
    await start({ item: "book" });
    await engine.stop();
    const limits = { backlogMessages: -1 };
    engine = await startEngine(world, { workflows: [parcel], limits });
    await expect(start({ item: "lamp" })).rejects.toMatchObject({
      code: "overloaded",
      retryable: true,
    });
    const packed = { workflow: "parcel", id: "book", type: "parcel.packed", payload: {} };
    expect(await engine.client.send(packed)).toMatchObject({ outcome: "applied" });
  });
});
