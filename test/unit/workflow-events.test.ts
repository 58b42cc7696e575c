import { describe, expect, test } from "vitest";
import { emit, raise } from "xstate";
import { z } from "zod";
import { problemsOf } from "../support/problems.ts";

describe("messages and machine must fit", () => {
  const go = { on: { go: { actions: [] } } };
  const empty = z.object({});

  test("a handled event is declared, internal, or the machine's own", () => {
    expect(problemsOf(go)).toEqual([expect.stringContaining('State "m": "go" is handled, but')]);
    expect(problemsOf(go, {}, { events: { go: empty } })).toEqual([]);
    expect(problemsOf(go, {}, { internal: ["go"] })).toEqual([]);
    expect(problemsOf({ ...go, entry: raise({ type: "go" }) })).toEqual([]);
  });

  test("a declared event is handled somewhere", () => {
    expect(problemsOf({}, {}, { events: { go: empty } })).toEqual([
      expect.stringContaining('Event "go" is declared, but no state handles it'),
    ]);
    const wildcard = { on: { "a.*": { actions: [] } } };
    expect(problemsOf(wildcard, {}, { events: { "a.b": empty } })).toEqual([]);
  });

  test("reserved types are nobody's", () => {
    const definition = { events: { "waybill.x": empty }, startedBy: ["xstate.y"] };
    const problems = problemsOf({ on: { "waybill.x": {} } }, {}, definition);
    expect(problems).toEqual([
      expect.stringContaining('Event "waybill.x"'),
      expect.stringContaining('startedBy "xstate.y"'),
    ]);
  });

  test("a reply is an event that the machine knows", () => {
    const emits = { asked: { schema: empty, reply: "answered" } };
    expect(problemsOf({}, {}, { emits })).toEqual([
      expect.stringContaining('Emitted "asked": the reply "answered" is not among the events'),
    ]);
  });

  test("what is emitted is declared, once anything is", () => {
    const entry = emit({ type: "said" });
    expect(problemsOf({ entry }, {}, { emits: {} })).toEqual([
      expect.stringContaining('"said" is emitted, but not among the emits'),
    ]);
    expect(problemsOf({ entry })).toEqual([]);
  });

  test("a type starts an instance or is an event for it, not both, and once", () => {
    const events = { go: empty };
    expect(problemsOf(go, {}, { events, startedBy: ["go", "new", "new"] })).toEqual([
      expect.stringContaining('startedBy "new" stands there twice'),
      expect.stringContaining('startedBy "go" is also handled by a state'),
    ]);
  });

  test("schemas follow Standard Schema", () => {
    const events = { go: {} } as never;
    expect(problemsOf(go, {}, { events })).toEqual([expect.stringContaining("Standard Schema")]);
  });

  test("policies are known words", () => {
    const events = { go: { schema: empty, missing: "wait", unaccepted: "drop" } } as never;
    expect(problemsOf(go, {}, { events })).toEqual([
      expect.stringContaining("missing is one of"),
      expect.stringContaining("unaccepted is one of"),
    ]);
  });
});
