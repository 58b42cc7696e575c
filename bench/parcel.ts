import { assign, emit, setup } from "xstate";
import { z } from "zod";
import { defineWorkflow } from "../src/index.ts";

const scan = z.object({ id: z.string(), amount: z.number(), note: z.string() });
type Scan = z.infer<typeof scan>;
type Move = { readonly id: string; readonly n: number; readonly total: number; note: string };

/** What moves a parcel on, in this order and then from the start again, so that any number of messages can be played. */
export const scans = ["parcel.paid", "parcel.packed", "parcel.shipped", "parcel.returned"] as const;
export const registration = "parcel.registered";
/** What each of them leads to. */
export const move = "parcel.moved";

const note = "x".repeat(150);

/** A parcel with a context of ordinary size: each event passes a guard, changes the context and emits one message. */
export const parcelMachine = setup({
  types: {
    input: {} as { readonly id: string },
    context: {} as {
      readonly id: string;
      readonly n: number;
      readonly total: number;
      readonly items: readonly { readonly sku: string; readonly quantity: number }[];
      readonly customer: { readonly name: string; readonly email: string };
    },
    events: {} as { readonly type: (typeof scans)[number] } & Scan,
    emitted: {} as { readonly type: typeof move } & Move,
  },
  guards: { isPositive: ({ event }) => event.amount >= 0 },
  actions: {
    count: assign({
      n: ({ context }) => context.n + 1,
      total: ({ context, event }) => context.total + event.amount,
    }),
    tell: emit(({ context: { id, n, total } }) => ({ type: move, id, n, total, note })),
  },
}).createMachine({
  context: ({ input }) => ({
    id: input.id,
    n: 0,
    total: 0,
    items: [
      { sku: "a", quantity: 1 },
      { sku: "b", quantity: 2 },
    ],
    customer: { name: "Ann Example", email: "ann@example.org" },
  }),
  entry: "tell",
  initial: "awaitingPayment",
  states: {
    awaitingPayment: {
      on: {
        "parcel.paid": { guard: "isPositive", target: "fulfilment", actions: ["count", "tell"] },
      },
    },
    fulfilment: {
      initial: "picking",
      states: {
        picking: { on: { "parcel.packed": { target: "packed", actions: ["count", "tell"] } } },
        packed: {},
      },
      on: { "parcel.shipped": { target: "shipped", actions: ["count", "tell"] } },
    },
    shipped: {
      on: { "parcel.returned": { target: "awaitingPayment", actions: ["count", "tell"] } },
    },
  },
});

/** The machine as this engine runs it; `lean` without what a workflow can do without: history and index. */
export function parcelOf({ lean }: { readonly lean: boolean }) {
  return defineWorkflow({
    name: "parcel",
    version: "1",
    machine: parcelMachine,
    input: z.object({ id: z.string() }),
    startedBy: [registration],
    instanceId: ({ id }) => id,
    events: Object.fromEntries(scans.map((type) => [type, scan])),
    emits: {
      [move]: z.object({ id: z.string(), n: z.number(), total: z.number(), note: z.string() }),
    },
    ...(lean && { history: false, indexed: false }),
  });
}

/** With the settings that a workflow has when it says nothing. */
export const parcel = parcelOf({ lean: false });
