import { describe, expect, it } from "vitest";
import { setup } from "xstate";
import { z } from "zod";
import {
  decodeInstance,
  encodeInstance,
  type Instance,
  jsonDigest,
  noteWaiting,
  termsOf,
} from "../../../src/engine/instance.ts";
import { Registry } from "../../../src/engine/registry.ts";
import { statePaths } from "../../../src/engine/statechart/shown-state.ts";
import { defineWorkflow } from "../../../src/workflow.ts";

const lamp = (version: string, attributes?: (context: unknown) => Record<string, string>) =>
  defineWorkflow({
    name: "lamp",
    version,
    events: { flip: z.object({}) },
    ...(attributes && { attributes }),
    machine: setup({
      types: { context: {} as { room: string }, events: {} as { type: "flip" } },
    }).createMachine({
      context: { room: "hall" },
      initial: "off",
      states: {
        off: { tags: "dark", on: { flip: "on" } },
        on: {
          type: "parallel",
          states: { bulb: { initial: "warm", states: { warm: {} } }, cord: {} },
        },
      },
    }),
  });

const registry = new Registry([
  lamp("1", (context) => ({ room: (context as { room: string }).room })),
]);
const definition = registry.latest("lamp");

function started(): Instance {
  const result = definition.stepper.start({ key: "lamp/1", input: {}, now: 0 });
  if (result.kind !== "applied") throw new Error("it does not start");
  const times = { createdAt: 5, updatedAt: 6 };
  return { key: "lamp/1", version: 3, ...times, definition: "1", terms: [], actor: result.actor };
}

const stored = (record: string) => ({
  key: "lamp/1",
  version: 3,
  record,
  createdAt: 5,
  updatedAt: 6,
});

describe("the record of an instance", () => {
  it("gives the instance back as it was", () => {
    const held = [{ type: "flip", payload: { hard: true }, messageId: "m1" }];
    const instance = { ...started(), held, startMessageId: "m0" };
    const back = decodeInstance(stored(encodeInstance(instance, definition)), registry);
    expect(encodeInstance(back, definition)).toBe(encodeInstance(instance, definition));
    expect(back).toMatchObject({ key: "lamp/1", version: 3, createdAt: 5, updatedAt: 6, held });
    expect(definition.stepper.view(back.actor ?? fail())).toMatchObject({ value: "off" });
  });

  it("stays sealed, and comes out again as it was, where its version is not registered", () => {
    const record = encodeInstance(started(), definition);
    const elsewhere = new Registry([lamp("2")]);
    const sealed = decodeInstance(stored(record), elsewhere);
    expect(sealed.actor).toBeUndefined();
    expect(sealed.sealed?.why).toMatchObject({ code: "needs-code", retryable: true });
    expect(encodeInstance(sealed, undefined)).toBe(record);
  });

  it.each(["", "5", "null", "{}", '{"terms":5}', '{"terms":[],"actor":"x"}'])(
    "is corrupt when it is %j",
    (record) => {
      expect(() => decodeInstance(stored(record), registry)).toThrow(
        "The record of lamp/1 cannot be read.",
      );
    },
  );
});

describe("the terms of an instance", () => {
  it("are its status, its states with their parents, its tags and its attributes", () => {
    const instance = started();
    expect(termsOf(instance, definition)).toEqual([
      "status:active",
      "state:off",
      "tag:dark",
      "attribute:room=hall",
    ]);
    const next = definition.stepper.apply(instance.actor ?? fail(), { type: "flip" }, 0);
    if (next.kind !== "applied") throw new Error("it does not flip");
    expect(termsOf({ ...instance, actor: next.actor }, definition)).toEqual([
      "status:active",
      "stuck:true",
      "state:on",
      "state:on.bulb",
      "state:on.bulb.warm",
      "state:on.cord",
      "attribute:room=hall",
    ]);
  });

  it("say of one whose code is not here what they said, but for the status", () => {
    const record = encodeInstance(
      { ...started(), terms: ["status:active", "state:off"] },
      definition,
    );
    const sealed = decodeInstance(stored(record), new Registry([lamp("2")]));
    expect(termsOf(sealed, undefined)).toEqual(["status:suspended", "state:off"]);
  });

  it("do without attributes that throw", () => {
    const broken = new Registry([
      lamp("1", () => {
        throw new Error("no");
      }),
    ]).latest("lamp");
    expect(termsOf(started(), broken)).toEqual(["status:active", "state:off", "tag:dark"]);
  });
});

describe("a digest", () => {
  it("is the same for equal JSON, whatever the order of the keys, and another for other JSON", () => {
    const one = { a: 1, b: [{ c: 2, d: null }] };
    expect(jsonDigest({ b: [{ d: null, c: 2 }], a: 1 })).toBe(jsonDigest(one));
    expect(jsonDigest({ ...one, gone: undefined })).toBe(jsonDigest(one));
    for (const other of [{ a: 1, b: [{ c: 2 }] }, { a: "1", b: one.b }, [1], null, undefined]) {
      expect(jsonDigest(other)).not.toBe(jsonDigest(one));
    }
    expect(jsonDigest([1, 2])).not.toBe(jsonDigest([2, 1]));
  });
});

describe("state paths", () => {
  it("name every active state, parents first", () => {
    expect(statePaths({ a: { b: "c" }, d: {} })).toEqual(["a", "a.b", "a.b.c", "d"]);
    expect(statePaths("idle")).toEqual(["idle"]);
  });
});

function fail(): never {
  throw new Error("it does not run");
}

describe("the time since which events wait", () => {
  const event = { type: "flip", payload: {} };

  it("is that of the first one and stays until none waits", () => {
    const first = noteWaiting({ ...started(), deferred: [event] }, 1_000.5);
    expect(first.waitingSince).toBe(1_000);
    const second = noteWaiting({ ...first, deferred: [event, event] }, 5_000);
    expect(second.waitingSince).toBe(1_000);
    expect(noteWaiting({ ...second, deferred: [] }, 9_000)).not.toHaveProperty("waitingSince");
  });

  it("is not there for what waits for a start, which has a limit of its own", () => {
    const { actor: _, ...awaited } = started();
    expect(noteWaiting({ ...awaited, held: [event] }, 1_000)).not.toHaveProperty("waitingSince");
  });

  it("is in the index by the hour", () => {
    const waitingSince = Date.UTC(2026, 10, 23, 4, 59);
    const terms = termsOf({ ...started(), waitingSince }, definition);
    expect(terms).toEqual(expect.arrayContaining(["waiting:true", "waiting:2026-11-23T04"]));
  });
});
