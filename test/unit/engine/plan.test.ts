import { beforeEach, describe, expect, it } from "vitest";
import { setup } from "xstate";
import { z } from "zod";
import type { Instance } from "../../../src/engine/instance.ts";
import { type ErrorRecord, WaybillError } from "../../../src/errors.ts";
import { defineWorkflow } from "../../../src/workflow.ts";
import { errand } from "../../support/errand.ts";
import { arrivalFor, Planner } from "../../support/planned.ts";

const start = (messageId = "m0", reply?: { queue: string }) =>
  arrivalFor("start", "errand/e", {
    type: "waybill.start",
    input: {},
    onConflict: "same-input",
    messageId,
    ...(reply && { reply }),
  });
const call = (messageId = "m1") =>
  arrivalFor("event", "errand/e", { type: "errand.call", payload: {}, messageId });
const result = (attempt: number, error?: ErrorRecord, seq?: number) =>
  arrivalFor("result", "errand/e", {
    activity: "job",
    generation: 1,
    attempt,
    outcome: error === undefined ? { kind: "done", output: attempt } : { kind: "error", error },
    ...(seq !== undefined && { receipt: { seq } }),
  });
const retry = (attempt: number) =>
  arrivalFor("timer", "errand/e", { name: `~retry:${attempt}:job`, generation: 1 });
const failed = { name: "Error", message: "no" };

let planner: Planner;

beforeEach(() => {
  planner = new Planner([
    errand({ run: () => "ok", retry: { maxAttempts: 3, initial: 100, jitter: 0 } }),
  ]);
});

/** The code of the errand goes away, after it has ended if so told. */
function sealErrand(end: { readonly status?: "done" } = {}): void {
  const { actor, ...rest } = planner.instances.get("errand/e") ?? { actor: undefined };
  if (actor === undefined) throw new Error("it does not run");
  const why = new WaybillError({ code: "needs-code", message: "", action: "" });
  const packed = planner.registry.latest("errand").stepper.pack(actor);
  const sealed = { actor: { ...packed, ...end }, why };
  planner.instances.set("errand/e", { ...rest, sealed } as Instance);
}

const valueOf = (key = "errand/e") => planner.instances.get(key)?.actor?.snapshot.value;
const effectsOf = (key = "errand/e") => planner.instances.get(key)?.runs;

describe("planning a local activity", () => {
  it("promises a run, and settles its outbox entry with the result", () => {
    const started = planner.batch([start()]).toCommit();
    expect(started.outboxAdded).toMatchObject([{ seq: 1 }]);
    expect(effectsOf()).toEqual({ job: { seq: 1, since: planner.now } });
    const done = planner.batch([result(1, undefined, 1)]);
    expect([...done.settled]).toEqual([1]);
    expect(valueOf()).toBe("done");
    expect(effectsOf()).toEqual({});
  });

  it("leaves no outbox entry of a run that is called off in the same batch", () => {
    const plan = planner.batch([start(), call()]);
    expect(plan.toCommit().outboxAdded).toEqual([]);
    expect(plan.aborts).toEqual(["errand/e#1#job"]);
    expect(valueOf()).toBe("called");
  });

  it("arms one timer for the next attempt, and asks for that when it fires", () => {
    planner.batch([start()]);
    const plan = planner.batch([result(1, failed, 1)]);
    expect([...plan.armed]).toEqual([["errand/e#1#~retry:2:job", planner.now + 100]]);
    const again = planner.batch([retry(2)]);
    expect(again.outbox).toMatchObject([{ content: { kind: "run", task: { attempt: 2 } } }]);
  });

  it("takes a late success of an attempt that was given up, and no late failure", () => {
    planner.batch([start()]);
    planner.batch([result(1, failed, 1)]);
    planner.batch([retry(2)]);
    const late = planner.batch([result(1, failed)]);
    expect(late.observations).toMatchObject([{ kind: "set-aside", outcome: "stale" }]);
    planner.batch([result(1)]);
    expect(valueOf()).toBe("done");
  });

  it("drops a second result, and one for a state that was left", () => {
    planner.batch([start()]);
    planner.batch([result(1)]);
    const second = planner.batch([result(1)]);
    expect(second.observations).toMatchObject([{ kind: "set-aside", outcome: "stale" }]);
    expect(second.isEmpty).toBe(true);
  });
});

describe("planning a start", () => {
  it("answers a repeated one in the same batch from the record", () => {
    const plan = planner.batch([start("m0", { queue: "q" }), start("m0", { queue: "q" })]);
    expect(plan.replies.map(({ body }) => body)).toMatchObject([
      { outcome: "created" },
      { outcome: "existing" },
    ]);
  });

  it("that replaces another one takes nothing that was meant for that", () => {
    planner.batch([start()]);
    const replacing = { type: "waybill.start", input: { more: true }, messageId: "m2" };
    const onConflict = "terminate-existing" as const;
    planner.batch([arrivalFor("start", "errand/e", { ...replacing, onConflict })]);
    const late = planner.batch([result(1)]);
    expect(late.observations).toMatchObject([{ kind: "set-aside", outcome: "stale" }]);
    expect(valueOf()).toBe("working");
  });

  it("that came before its code went away is not taken for one that never came", () => {
    planner.batch([start()]);
    sealErrand();
    const limbo = { name: "~limbo", generation: 0 };
    planner.batch([arrivalFor("timer", "errand/e", limbo)]);
    expect(planner.instances.get("errand/e")?.sealed).toBeDefined();
  });

  it("that has ended stays as it ended when it is stopped where its code is not", () => {
    planner.batch([start()]);
    planner.batch([result(1)]);
    sealErrand({ status: "done" });
    const { version } = planner.instances.get("errand/e") ?? {};
    const plan = planner.batch([arrivalFor("stop", "errand/e", {})]);
    expect(planner.instances.get("errand/e")).toMatchObject({
      version,
      sealed: { actor: { status: "done" } },
    });
    expect(plan.drafts.get("errand/e")?.history).toEqual([]);
  });

  it("writes every step into the history, with the message that caused it", () => {
    const plan = planner.batch([start(), call()]);
    expect(plan.drafts.get("errand/e")?.history.map((entry) => JSON.parse(entry))).toMatchObject([
      { version: 1, type: "waybill.start" },
      { version: 2, type: "errand.call", messageId: "m1" },
    ]);
  });
});

describe("planning an event that creates its instance", () => {
  const fragile = defineWorkflow({
    name: "fragile",
    version: "1",
    events: { touch: { schema: z.object({ hard: z.boolean().default(true) }), missing: "create" } },
    machine: setup({
      types: { input: {} as { hard: boolean }, events: {} as { type: "touch" } },
    }).createMachine({
      context: ({ input }) => {
        if (input.hard) throw new Error("it broke");
        return {};
      },
      on: { touch: {} },
    }),
  });

  const touch = (payload: Readonly<Record<string, unknown>>) =>
    arrivalFor("event", "fragile/f", {
      type: "touch",
      payload,
      messageId: "m1",
      reply: { queue: "q" },
    });

  it("tells the requester once: of the event when it starts, of the refusal when it does not", () => {
    planner = new Planner([fragile]);
    const broken = planner.batch([touch({})]);
    expect(broken.replies.map(({ body }) => body)).toMatchObject([
      { problem: { code: "event-threw" } },
    ]);
    expect(broken.deadLetters).toEqual([]);
    const whole = planner.batch([touch({ hard: false })]);
    expect(whole.replies).toHaveLength(1);
    expect(planner.instances.has("fragile/f")).toBe(true);
  });
});

describe("planning dead letters", () => {
  it("says so on the topic exchange, and gives what has no id a name of its own", () => {
    const plan = planner.batch([arrivalFor("event", "nope/1", { type: "x", payload: { a: 1 } })]);
    const id = plan.deadLetters[0]?.id ?? "";
    expect(id).toMatch(/^0-[\w-]{22}$/);
    expect(JSON.parse(plan.deadLetters[0]?.entry ?? "")).toEqual({
      id,
      key: "nope/1",
      type: "x",
      reason: "unknown-workflow",
      detail: "There is no workflow for nope/1 here.",
      body: '{"a":1}',
    });
    expect(plan.outbox).toMatchObject([
      { content: { outgoing: { exchange: "events", routingKey: "waybill.dead-letter" } } },
    ]);
  });
});
