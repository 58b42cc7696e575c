import { assign, setup } from "xstate";
import { z } from "zod";
import { defineWorkflow } from "../../src/workflow.ts";

/** Takes whatever it is told, and keeps it. */
export const keeper = defineWorkflow({
  name: "keeper",
  version: "1",
  machine: setup({
    types: {
      context: {} as { input: unknown; kept?: unknown },
      events: {} as { type: "keep" } | { type: "end" },
    },
  }).createMachine({
    context: ({ input }) => ({ input }),
    initial: "open",
    states: {
      open: {
        after: { 600_000: "ended" },
        on: { keep: { actions: assign({ kept: ({ event }) => event }) }, end: "ended" },
      },
      ended: { type: "final" },
    },
  }),
  events: { keep: z.looseObject({}), end: z.object({}) },
  input: z.unknown(),
});
