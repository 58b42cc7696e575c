import { setup } from "xstate";
import { z } from "zod";
import { defineWorkflow } from "../../src/workflow.ts";

/** A workflow that is found by what a message says, and does nothing. */
export const order = defineWorkflow({
  name: "order",
  version: "1",
  startedBy: ["order.placed"],
  instanceId: (input) => (input as { id: string }).id,
  events: {
    "order.paid": {
      schema: z.object({ order: z.string() }),
      correlate: (payload: { readonly order: string }) => payload.order.trim(),
    },
  },
  machine: setup({ types: { events: {} as { type: "order.paid" } } }).createMachine({
    on: { "order.paid": {} },
  }),
});
