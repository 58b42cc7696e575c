import { emit, setup } from "xstate";
import { z } from "zod";
import { activity, defineWorkflow } from "../src/index.ts";

const input = z.object({ id: z.string() });

/** Starts an order; it says `order.packed` when it waits for its signal, and `order.done` at its end. */
export const orderStart = "order.placed";
export const orderPacked = "order.packed";
export const orderSignal = "order.collected";
export const orderDone = "order.done";

/** As small as an activity can be: what is measured is what the engine does around it. */
function work(local: boolean) {
  return activity({ run: async ({ input: given }) => ({ taken: given }), local });
}

/** Three activities one after the other, then a signal before an hour is over. */
function orderOf(name: string, local: boolean) {
  const machine = setup({
    types: {
      input: {} as z.infer<typeof input>,
      context: {} as z.infer<typeof input>,
      events: {} as { type: typeof orderSignal },
      emitted: {} as
        | { type: typeof orderPacked; id: string }
        | { type: typeof orderDone; id: string },
    },
    actors: { reserve: work(local), pay: work(local), pack: work(local) },
    actions: {
      sayPacked: emit(({ context }) => ({ type: orderPacked, id: context.id })),
      sayDone: emit(({ context }) => ({ type: orderDone, id: context.id })),
    },
  }).createMachine({
    context: ({ input: given }) => given,
    initial: "reserving",
    states: {
      reserving: { invoke: { id: "reserve", src: "reserve", onDone: "paying" } },
      paying: { invoke: { id: "pay", src: "pay", onDone: "packing" } },
      packing: { invoke: { id: "pack", src: "pack", onDone: "waiting" } },
      waiting: {
        entry: "sayPacked",
        on: { [orderSignal]: "done" },
        after: { 3_600_000: "forgotten" },
      },
      forgotten: { type: "final" },
      done: { entry: "sayDone", type: "final" },
    },
  });
  return defineWorkflow({
    name,
    version: "1",
    machine,
    input,
    // A type that starts can start one workflow only.
    startedBy: [`${name}.${orderStart}`],
    instanceId: ({ id }) => id,
    events: { [orderSignal]: z.object({}) },
    emits: { [orderPacked]: input, [orderDone]: input },
  });
}

/** Its activities run in the process that owns the order. */
export const localOrder = orderOf("local-order", true);
/** Its activities are messages to workers. */
export const queuedOrder = orderOf("queued-order", false);
