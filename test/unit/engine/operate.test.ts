import { beforeEach, describe, expect, it } from "vitest";
import type { LetterEntry } from "../../../src/engine/dead-letter.ts";
import {
  letterId,
  nextRedriveId,
  partitionOfLetter,
  redrivesOf,
} from "../../../src/engine/dead-letter.ts";
import type { Plan } from "../../../src/engine/plan/plan.ts";
import { errand } from "../../support/errand.ts";
import { arrivalFor, Planner } from "../../support/planned.ts";

const key = "errand/e";
const start = arrivalFor("start", key, {
  type: "waybill.start",
  input: {},
  onConflict: "same-input",
  messageId: "m0",
});
const control = (action: "suspend" | "resume" | "terminate" | "retry", messageId: string) =>
  arrivalFor("control", key, { action, messageId, reply: { queue: "q" } });
const failure = { kind: "error", error: { name: "Error", message: "no" } } as const;
const result = (attempt: number) =>
  arrivalFor("result", key, {
    activity: "job",
    generation: 1,
    attempt,
    outcome: failure,
    messageId: `r${attempt}`,
  });
const lease = arrivalFor("timer", key, { name: "~lease:1:job", generation: 1 });

let planner: Planner;

beforeEach(() => {
  planner = new Planner([
    errand({ run: () => "ok", local: false, retry: { maxAttempts: 5, initial: 100, jitter: 0 } }),
  ]);
  planner.batch([start]);
});

const valueOf = () => planner.instances.get(key)?.actor?.snapshot.value;
const repliesOf = (plan: Plan) => plan.replies.map(({ body }) => body);

describe("planning what an operator wants of an instance", () => {
  it("answers a repeated message in one batch with the instance as it is", () => {
    const plan = planner.batch([control("suspend", "s1"), control("suspend", "s1")]);
    expect(repliesOf(plan)).toMatchObject([{ outcome: "applied" }, { outcome: "duplicate" }]);
    expect(planner.instances.get(key)).toMatchObject({ suspended: true, version: 2 });
  });

  it("refuses it to the requester alone, and asks the inbox before it does", () => {
    const plan = planner.batch([control("resume", "s1")]);
    expect(repliesOf(plan)).toMatchObject([{ problem: { code: "not-suspended" } }]);
    expect(plan.doubts.get(key)).toEqual(new Set(["s1"]));
    expect(plan.isEmpty).toBe(true);
  });

  it("arms nothing for an activity whose end is held back already", () => {
    planner.batch([control("suspend", "s1")]);
    const deadline = arrivalFor("timer", key, { name: "~deadline:0:job", generation: 1 });
    planner.batch([deadline]);
    const late = planner.batch([lease, result(1)]);
    expect([...late.armed]).toEqual([]);
    expect(planner.instances.get(key)?.held).toMatchObject([{ type: "xstate.error.actor.job" }]);
    planner.batch([control("resume", "s2")]);
    expect(valueOf()).toBe("failed");
  });

  it("sets aside what was held when it ends the instance, and aborts its activities", () => {
    planner.batch([control("suspend", "s1")]);
    const call = { type: "errand.call", payload: {}, messageId: "m1" };
    planner.batch([arrivalFor("event", key, call)]);
    const plan = planner.batch([control("terminate", "t1")]);
    expect(plan.deadLetters.map(({ entry }) => JSON.parse(entry))).toMatchObject([
      { messageId: "m1", reason: "ended", key },
    ]);
    expect([...plan.aborts]).toEqual(["errand/e#1#job"]);
  });
});

describe("planning what an operator wants of a dead letter", () => {
  const letter: LetterEntry = {
    id: letterId(0, { key, messageId: "m1" }),
    messageId: "m1",
    key,
    type: "errand.call",
    reason: "not-accepted",
    detail: "…",
    body: '{"loud":true}',
  };
  const letters = new Map([[letter.id, JSON.stringify(letter)]]);
  const wish = (action: "redrive" | "drop") =>
    arrivalFor("letter", key, { action, letter: letter.id, reply: { queue: "q" } });

  it("sends it and removes its row in one commit, marked as what it was: an outsider's", () => {
    const plan = planner.batch([wish("redrive")], { letters });
    const commit = plan.toCommit();
    expect(commit.deadLettersRemoved).toEqual([letter.id]);
    expect(plan.outbox).toMatchObject([
      {
        content: {
          outgoing: {
            routingKey: "waybill.p.0",
            message: {
              id: `redrive:${letter.id}:1`,
              type: "errand.call",
              body: '{"loud":true}',
              timestamp: planner.now,
              headers: { "x-waybill-instance": key, "x-waybill-outsider": "1" },
            },
          },
        },
      },
    ]);
    expect(repliesOf(plan)).toEqual([{ outcome: "redriven" }]);
  });

  it("sends it once when two want it in one batch", () => {
    const plan = planner.batch([wish("redrive"), wish("drop")], { letters });
    expect(plan.outbox).toHaveLength(1);
    expect(repliesOf(plan)).toMatchObject([
      { outcome: "redriven" },
      { problem: { code: "unknown-dead-letter" } },
    ]);
  });

  it("writes a commit even when it only drops one", () => {
    const plan = planner.batch([wish("drop")], { letters });
    expect(plan.isEmpty).toBe(false);
    expect(plan.outbox).toEqual([]);
    expect(plan.toCommit()).toMatchObject({ instances: [], deadLettersRemoved: [letter.id] });
  });
});

describe("the id of a dead letter", () => {
  it("tells its partition, and differs between instances and messages", () => {
    const id = letterId(12, { key: "a/1", messageId: "m" });
    expect(partitionOfLetter(id)).toBe(12);
    expect(letterId(12, { key: "a/2", messageId: "m" })).not.toBe(id);
    expect(letterId(12, { key: "a/1", messageId: "n" })).not.toBe(id);
    expect(partitionOfLetter("12-short")).toBeUndefined();
    expect(partitionOfLetter(`../${id}`)).toBeUndefined();
  });

  it("stays in the message ids of all its redrives, which count on", () => {
    const id = letterId(1, { key: "a/1", messageId: "m" });
    const first = nextRedriveId({ id, messageId: "m" });
    expect(first).toBe(`redrive:${id}:1`);
    const again = { id: letterId(1, { key: "a/1", messageId: first }), messageId: first };
    expect(nextRedriveId(again)).toBe(`redrive:${id}:2`);
    expect([redrivesOf({}), redrivesOf({ messageId: "m" }), redrivesOf(again)]).toEqual([0, 0, 1]);
  });
});
