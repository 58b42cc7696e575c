import { emit, setup } from "xstate";
import { z } from "zod";
import { defineWorkflow, type EventsOf } from "../../src/index.ts";

const person = z.object({ name: z.string().min(1) });
const events = { "hello.reply": z.object({ words: z.string() }) };
const emits = { "hello.greeting": z.object({ text: z.string() }) };

const machine = setup({
  types: {
    input: {} as z.infer<typeof person>,
    context: {} as z.infer<typeof person>,
    events: {} as EventsOf<typeof events>,
    emitted: {} as EventsOf<typeof emits>,
  },
}).createMachine({
  context: ({ input }) => input,
  entry: emit(({ context }) => ({ type: "hello.greeting", text: `Hello, ${context.name}!` })),
  initial: "waiting",
  states: {
    waiting: { on: { "hello.reply": "answered" }, after: { 60_000: "unanswered" } },
    answered: { type: "final" },
    unanswered: { type: "final" },
  },
});

/** Greets somebody and waits a minute for the answer, however often the process restarts meanwhile. */
export const hello = defineWorkflow({
  name: "hello",
  version: "1",
  machine,
  input: person,
  events,
  emits,
});
