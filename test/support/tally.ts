import { assign, emit, setup } from "xstate";
import { z } from "zod";
import { defineWorkflow } from "../../src/workflow.ts";

/** Notes every number that it is sent and emits it again: shows order, gaps and doubles. */
export const tally = defineWorkflow({
  name: "tally",
  version: "1",
  events: { "tally.add": z.object({ number: z.number() }) },
  emits: { "tally.added": z.object({ number: z.number() }) },
  machine: setup({
    types: {
      context: {} as { numbers: readonly number[] },
      events: {} as { type: "tally.add"; number: number },
      emitted: {} as { type: "tally.added"; number: number },
    },
  }).createMachine({
    context: { numbers: [] },
    on: {
      "tally.add": {
        actions: [
          assign({ numbers: ({ context, event }) => [...context.numbers, event.number] }),
          emit(({ event }) => ({ type: "tally.added", number: event.number })),
        ],
      },
    },
  }),
});
