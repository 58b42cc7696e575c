import { expect, it } from "vitest";
import { setup } from "xstate";
import { z } from "zod";
import type { InstanceWrite } from "../../../src/commit.ts";
import { defineWorkflow, type WorkflowDefinition } from "../../../src/workflow.ts";
import { arrivalFor, Planner } from "../../support/planned.ts";
import { problemsOfDefinition } from "../../support/problems.ts";

type Switches = Pick<WorkflowDefinition, "history" | "indexed">;

const machine = setup({
  types: { events: {} as { type: "leave" | "rest" } },
}).createMachine({
  initial: "here",
  states: {
    here: { on: { leave: "gone", rest: "resting" } },
    resting: {},
    gone: { type: "final" },
  },
});
const visit = (switches: Switches, version = "1") =>
  defineWorkflow({
    name: "visit",
    version,
    machine,
    events: { leave: z.object({}), rest: z.object({}) },
    ...switches,
  });
const start = (messageId = "s1", more: object = {}) =>
  arrivalFor("start", "visit/v", {
    type: "waybill.start",
    input: {},
    onConflict: "same-input",
    messageId,
    ...more,
  });
const event = (type: string) =>
  arrivalFor("event", "visit/v", { type, payload: {}, messageId: type });
const suspend = arrivalFor("control", "visit/v", { action: "suspend", messageId: "c1" });

function writeOf(planner: Planner, ...arrivals: Parameters<Planner["batch"]>[0]): InstanceWrite {
  const [write] = planner.batch(arrivals).toCommit().instances;
  if (write === undefined) throw new Error("nothing is written");
  return write;
}

it("keeps no step of a workflow without a history, neither an event's nor an operator's", () => {
  const kept = new Planner([visit({})]);
  expect(writeOf(kept, start(), event("rest"), suspend).history).toHaveLength(3);
  const bare = new Planner([visit({ history: false })]);
  const write = writeOf(bare, start(), event("rest"), suspend);
  expect(write).toMatchObject({ version: 3, history: [] });
  expect(write.termsAdded).toContain("status:suspended");
});

it("leaves a workflow that is not indexed out of the index, and its record has its terms", () => {
  const planner = new Planner([visit({ indexed: false })]);
  const writes = [[start()], [event("rest")], [suspend]].map((batch) => writeOf(planner, ...batch));
  expect(writes).toMatchObject(writes.map(() => ({ termsAdded: [], termsRemoved: [] })));
  expect(writes.map(({ history }) => history.length)).toEqual([1, 1, 1]);
  const { terms } = JSON.parse(writes[1]?.record ?? "") as { terms: readonly string[] };
  expect(terms).toEqual(["status:active", "stuck:true", "state:resting"]);
});

it("takes out of the index what begins anew as a version that is not indexed", () => {
  const planner = new Planner([visit({})]);
  const first = writeOf(planner, start());
  expect(first.termsAdded).toEqual(["status:active", "state:here"]);
  const next = new Planner([visit({}), visit({ indexed: false }, "2")]);
  for (const [key, instance] of planner.instances) next.instances.set(key, instance);
  const again = writeOf(next, start("s2", { onConflict: "terminate-existing" }));
  expect(again).toMatchObject({ termsAdded: [], termsRemoved: first.termsAdded });
});

it("has both for everybody else, and for children what their parent has", () => {
  expect(visit({})).toMatchObject({ history: true, indexed: true });
  const parent = setup({ actors: { visit: machine } }).createMachine({
    initial: "in",
    states: { in: { invoke: { id: "v", src: "visit", onDone: "out" } }, out: { type: "final" } },
  });
  const switches = { history: false, indexed: false };
  const party = defineWorkflow({
    name: "party",
    version: "1",
    machine: parent,
    events: {},
    ...switches,
  });
  expect(party.children.get("visit")).toMatchObject(switches);
});

it("refuses what is neither true nor false", () => {
  expect(problemsOfDefinition({ history: "no" as never, indexed: 0 as never })).toEqual([
    "`history` is neither true nor false.",
    "`indexed` is neither true nor false.",
  ]);
});
