import { assign, emit } from "xstate";
import { asking, chart, untilAnswered } from "./chart.ts";

const releasing = chart.createStateConfig({
  entry: [
    asking("stock.release"),
    emit(({ context: { order } }) => ({ type: "stock.release", orderId: order.orderId })),
  ],
  on: { "stock.released": "settled" },
  after: untilAnswered("releasing", "stock.release", { target: "overdue" }),
});

const voiding = chart.createStateConfig({
  entry: [
    asking("payment.void"),
    emit(({ context: { order } }) => ({ type: "payment.void", orderId: order.orderId })),
  ],
  on: { "payment.voided": "settled" },
  after: untilAnswered("voiding", "payment.void", { target: "overdue" }),
});

const refunding = chart.createStateConfig({
  entry: [
    asking("payment.refund"),
    emit(({ context: { order } }) => ({
      type: "payment.refund",
      orderId: order.orderId,
      amount: order.amount,
    })),
  ],
  on: { "payment.refunded": "settled" },
  after: untilAnswered("refunding", "payment.refund", { target: "overdue" }),
});

const recalling = chart.createStateConfig({
  entry: [
    asking("carrier.cancel"),
    emit(({ context: { order } }) => ({ type: "carrier.cancel", orderId: order.orderId })),
  ],
  on: { "carrier.cancelled": "settled" },
  after: untilAnswered("recalling", "carrier.cancel", { target: "overdue" }),
});

/** What must be undone is never given up: an operator sees it, and it is tried again after a pause. */
const overdue = chart.createStateConfig({
  tags: "attention",
  after: { compensationPause: "deciding" },
});

const stock = chart.createStateConfig({
  initial: "deciding",
  states: {
    deciding: { always: [{ guard: "stockIsHeld", target: "releasing" }, { target: "settled" }] },
    releasing,
    overdue: { ...overdue, on: { "stock.released": "settled" } },
    settled: { type: "final" },
  },
});

const money = chart.createStateConfig({
  initial: "deciding",
  states: {
    deciding: {
      always: [
        { guard: "paymentIsHeld", target: "refunding" },
        { guard: "authorizationIsHeld", target: "voiding" },
        { target: "settled" },
      ],
    },
    voiding,
    refunding,
    overdue: { ...overdue, on: { "payment.voided": "settled", "payment.refunded": "settled" } },
    settled: { type: "final" },
  },
});

const parcel = chart.createStateConfig({
  initial: "deciding",
  states: {
    deciding: { always: [{ guard: "parcelIsHeld", target: "recalling" }, { target: "settled" }] },
    recalling,
    overdue: { ...overdue, on: { "carrier.cancelled": "settled" } },
    settled: { type: "final" },
  },
});

/** Gives back what the order holds, then ends it as was decided on the way here. */
export const compensating = chart.createStateConfig({
  tags: "compensating",
  type: "parallel",
  states: { stock, money, parcel },
  on: {
    "order.cancel": {
      actions: assign(({ context, event }) =>
        context.outcome === "cancelled"
          ? {}
          : { outcome: "cancelled" as const, reason: event.reason },
      ),
    },
  },
  onDone: [
    { guard: { type: "endsAs", params: { outcome: "refused" } }, target: "refused" },
    { guard: { type: "endsAs", params: { outcome: "declined" } }, target: "declined" },
    { guard: { type: "endsAs", params: { outcome: "refunded" } }, target: "refunded" },
    { target: "cancelled" },
  ],
});
