import { assign, emit } from "xstate";
import { asking, chart, endAs, untilAnswered } from "./chart.ts";
import { compensating } from "./compensation.ts";
import { fulfilling } from "./fulfilment.ts";
import { paying } from "./payment.ts";
import { shipping } from "./shipping.ts";

const cancellation = chart.assign(({ event }) =>
  event.type === "order.cancel" ? { outcome: "cancelled" as const, reason: event.reason } : {},
);

const onCancel = {
  "order.cancel": { target: "compensating", actions: cancellation },
} as const;

const reserving = chart.createStateConfig({
  tags: "open",
  entry: [
    asking("stock.reserve"),
    emit(({ context: { order } }) => ({
      type: "stock.reserve",
      orderId: order.orderId,
      items: order.items,
    })),
  ],
  on: {
    ...onCancel,
    "stock.reserved": {
      target: "paying",
      actions: assign({ reservationId: ({ event }) => event.reservationId }),
    },
    "stock.refused": {
      target: "refused",
      actions: assign({ outcome: "refused", reason: ({ event }) => event.reason }),
    },
  },
  after: untilAnswered("reserving", "stock.reserve", {
    target: "compensating",
    actions: endAs("refused", "The stock service does not answer."),
  }),
});

/** From the placed order to the delivered goods, or to a clean end on the way. */
export const orderMachine = chart.createMachine({
  id: "order",
  context: ({ input }) => ({
    order: input,
    attempts: {},
    held: { stock: false, money: "nothing", parcel: false },
    reservationId: null,
    authorizationId: null,
    captureId: null,
    invoiceNumber: null,
    trackingNumber: null,
    outcome: null,
    reason: "",
  }),
  output: ({ context }) => ({
    orderId: context.order.orderId,
    outcome: context.outcome ?? "cancelled",
  }),
  initial: "reserving",
  states: {
    reserving,
    paying: { ...paying, on: onCancel },
    fulfilling: { ...fulfilling, on: onCancel },
    shipping: { ...shipping, on: { ...shipping.on, ...onCancel } },
    compensating,

    delivered: {
      type: "final",
      entry: emit(({ context: { order } }) => ({
        type: "order.delivered",
        orderId: order.orderId,
      })),
    },
    refused: {
      type: "final",
      entry: emit(({ context: { order, reason } }) => ({
        type: "order.refused",
        orderId: order.orderId,
        reason,
      })),
    },
    declined: {
      type: "final",
      entry: emit(({ context: { order, reason } }) => ({
        type: "order.declined",
        orderId: order.orderId,
        reason,
      })),
    },
    refunded: {
      type: "final",
      entry: emit(({ context: { order, reason } }) => ({
        type: "order.refunded",
        orderId: order.orderId,
        amount: order.amount,
        reason,
      })),
    },
    cancelled: {
      type: "final",
      entry: emit(({ context: { order, reason } }) => ({
        type: "order.cancelled",
        orderId: order.orderId,
        reason,
      })),
    },
  },
});
