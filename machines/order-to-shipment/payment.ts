import { assign, emit } from "xstate";
import { asking, chart, endAs, holdsMoney, untilAnswered } from "./chart.ts";

const authorizing = chart.createStateConfig({
  entry: [
    asking("payment.authorize"),
    emit(({ context: { order } }) => ({
      type: "payment.authorize",
      orderId: order.orderId,
      amount: order.amount,
    })),
  ],
  on: {
    "payment.authorized": {
      target: "capturing",
      actions: assign({ authorizationId: ({ event }) => event.authorizationId }),
    },
    "payment.declined": [
      { guard: "mayPayLater", target: "pausing", actions: holdsMoney("nothing") },
      {
        target: "#order.compensating",
        actions: [
          holdsMoney("nothing"),
          assign({ outcome: "declined", reason: ({ event }) => event.reason }),
        ],
      },
    ],
  },
  after: untilAnswered("authorizing", "payment.authorize", {
    target: "#order.compensating",
    actions: endAs("declined", "The payment service does not answer."),
  }),
});

const pausing = chart.createStateConfig({ after: { paymentRetry: "authorizing" } });

const capturing = chart.createStateConfig({
  entry: [
    asking("payment.capture"),
    emit(({ context: { order } }) => ({
      type: "payment.capture",
      orderId: order.orderId,
      amount: order.amount,
    })),
  ],
  on: {
    "payment.captured": {
      target: "#order.fulfilling",
      actions: assign({ captureId: ({ event }) => event.captureId }),
    },
    "payment.declined": {
      target: "#order.compensating",
      actions: [
        holdsMoney("authorization"),
        assign({ outcome: "declined", reason: ({ event }) => event.reason }),
      ],
    },
  },
  after: untilAnswered("capturing", "payment.capture", {
    target: "#order.compensating",
    actions: endAs("declined", "The payment service does not answer."),
  }),
});

/** Authorises the amount and captures it, all before the payment deadline. */
export const paying = chart.createStateConfig({
  tags: "open",
  initial: "authorizing",
  states: { authorizing, pausing, capturing },
  after: {
    paymentDeadline: {
      target: "#order.compensating",
      actions: endAs("declined", "The payment deadline passed."),
    },
  },
});
