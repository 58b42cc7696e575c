import { afterEach, beforeEach, expect } from "vitest";
import { assign, emit, setup } from "xstate";
import { z } from "zod";
import type { SendRequest, SendResult } from "../../src/engine/client.ts";
import type { Limits } from "../../src/engine/limits.ts";
import { defineWorkflow } from "../../src/workflow.ts";
import { eventually, type RunningEngine, startEngine } from "./memory-engine.ts";
import { memoryWorld, type Outsider, outsider, type World } from "./world.ts";

const note = z.object({ text: z.string().trim() });
const nothing = z.object({});

/** A workflow with every policy that an event can have. */
export const diary = defineWorkflow({
  name: "diary",
  version: "1",
  events: {
    "diary.note": {
      schema: note,
      unaccepted: "defer",
      correlate: (payload: { text: string }) => payload.text.split("-")[0],
    },
    "diary.open": nothing,
    "diary.shut": nothing,
    "diary.whisper": { schema: note, unaccepted: "ignore" },
    "diary.shout": { schema: note, missing: "reject" },
    "diary.begin": { schema: note, missing: "create" },
    "diary.answer": z.object({ mood: z.string() }),
    "diary.bind": { schema: nothing, unaccepted: "defer" },
    "diary.break": nothing,
    "diary.spoil": nothing,
  },
  emits: {
    "diary.asked": { schema: z.object({ question: z.string() }), reply: "diary.answer" },
    "diary.copied": z.object({ pages: z.number() }),
  },
  machine: setup({
    types: {
      context: {} as { notes: readonly string[]; mood: string },
      events: {} as
        | { type: "diary.note" | "diary.whisper" | "diary.shout" | "diary.begin"; text: string }
        | { type: "diary.open" | "diary.shut" | "diary.bind" | "diary.break" | "diary.spoil" }
        | { type: "diary.answer"; mood: string },
      emitted: {} as
        | { type: "diary.asked"; question: string }
        | { type: "diary.copied"; pages: number },
    },
    actions: {
      write: assign({
        notes: ({ context, event }) =>
          "text" in event ? [...context.notes, event.text] : context.notes,
      }),
    },
    guards: {
      breaks: () => {
        throw new Error("the spine is broken");
      },
    },
  }).createMachine({
    context: { notes: [], mood: "" },
    initial: "shut",
    on: {
      "diary.break": { guard: "breaks", target: ".shut" },
      "diary.spoil": {
        actions: emit({ type: "diary.copied", pages: "many" as unknown as number }),
      },
    },
    states: {
      shut: { on: { "diary.open": "open", "diary.begin": "open" } },
      open: {
        entry: emit({ type: "diary.asked", question: "How are you?" }),
        on: {
          "diary.note": { actions: "write" },
          "diary.shout": { actions: "write" },
          "diary.whisper": { actions: "write" },
          "diary.begin": { actions: "write" },
          "diary.shut": "burnt",
          "diary.answer": { actions: assign({ mood: ({ event }) => event.mood }) },
        },
      },
      lent: { on: { "diary.bind": "shut" } },
      burnt: { type: "final" },
    },
  }),
});

type Payload = Readonly<Record<string, unknown>>;
type More = Partial<SendRequest>;

/** The diary `diary/d` on an engine, and an outsider who knows its header. */
export interface Desk {
  readonly world: World;
  engine: RunningEngine;
  readonly shop: Outsider;
  start(id?: string): Promise<void>;
  send(type: string, payload?: Payload, more?: More): Promise<SendResult>;
  sendAsync(type: string, payload?: Payload, more?: More): Promise<void>;
  /** Publishes a `diary.note` as another service does, or what `message` makes of it. */
  publish(id: string, message: object): Promise<void>;
  notes(id?: string): Promise<readonly string[]>;
  /** Resolves once the engine has told of an event that was set aside like that. */
  told(outcome: string): Promise<void>;
}

/** Gives each test of a file a fresh engine that knows the diary. */
export function useDesk(limits: Partial<Limits> = {}): Desk {
  let [world, engine, shop] = [] as unknown as [World, RunningEngine, Outsider];
  beforeEach(async () => {
    world = memoryWorld();
    engine = await startEngine(world, { workflows: [diary], limits });
    shop = await outsider(world);
  });
  afterEach(async () => {
    await engine.stop();
    await world.end();
  });
  const request = (type: string, payload: Payload = {}, more: More = {}) => {
    return { workflow: "diary", id: "d", type, payload, ...more };
  };
  return {
    get world() {
      return world;
    },
    get engine() {
      return engine;
    },
    set engine(other) {
      engine = other;
    },
    get shop() {
      return shop;
    },
    async start(id = "d") {
      await engine.client.start({ workflow: "diary", id, input: {} });
    },
    send: (type, payload, more) => engine.client.send(request(type, payload, more)),
    async sendAsync(type, payload, more) {
      await engine.client.sendAsync(request(type, payload, more));
    },
    async publish(id, message) {
      const headers = { "x-waybill-instance": "diary/d" };
      const letter = { id, type: "diary.note", body: '{"text":"x"}', headers, ...message };
      await shop.publish({ routingKey: "diary.note", message: letter });
    },
    async notes(id = "d") {
      const { context } = await engine.client.get("diary", id);
      return (context as { notes: readonly string[] }).notes;
    },
    async told(outcome) {
      await eventually(() =>
        expect(engine.seen("set-aside").map((one) => one.outcome)).toContain(outcome),
      );
    },
  };
}
