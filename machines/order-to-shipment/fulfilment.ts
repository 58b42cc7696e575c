import { assign, emit } from "xstate";
import { asking, chart, endAs, untilAnswered } from "./chart.ts";

const warehouseSilent = {
  target: "#order.compensating",
  actions: endAs("refunded", "The warehouse does not answer."),
} as const;

const picking = chart.createStateConfig({
  initial: "asked",
  states: {
    asked: {
      entry: [
        asking("warehouse.pick"),
        emit(({ context: { order } }) => ({
          type: "warehouse.pick",
          orderId: order.orderId,
          items: order.items,
        })),
      ],
      on: { "warehouse.picked": "picked" },
      after: untilAnswered("asked", "warehouse.pick", warehouseSilent),
    },
    picked: { type: "final" },
  },
});

const packing = chart.createStateConfig({
  initial: "asked",
  states: {
    asked: {
      entry: [
        asking("warehouse.pack"),
        emit(({ context: { order } }) => ({
          type: "warehouse.pack",
          orderId: order.orderId,
          lines: order.items.length,
        })),
      ],
      on: { "warehouse.packed": "packed" },
      after: untilAnswered("asked", "warehouse.pack", warehouseSilent),
    },
    packed: { type: "final" },
  },
});

const invoicing = chart.createStateConfig({
  initial: "writing",
  states: {
    writing: {
      invoke: {
        id: "invoice",
        src: "writeInvoice",
        input: ({ context: { order } }) => ({
          orderId: order.orderId,
          customerId: order.customerId,
          amount: order.amount,
        }),
        onDone: {
          target: "written",
          actions: assign({ invoiceNumber: ({ event }) => event.output.invoiceNumber }),
        },
        onError: {
          target: "#order.compensating",
          actions: assign({ outcome: "refunded", reason: "The invoice could not be written." }),
        },
      },
    },
    written: { type: "final" },
  },
});

/** Goods, parcel and paper at the same time; goes on when all three are ready. */
export const fulfilling = chart.createStateConfig({
  tags: "open",
  type: "parallel",
  states: { picking, packing, invoicing },
  onDone: "shipping",
});
