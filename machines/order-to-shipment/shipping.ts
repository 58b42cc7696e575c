import { assign, emit } from "xstate";
import { asking, chart, endAs, untilAnswered } from "./chart.ts";

const booking = chart.createStateConfig({
  entry: [
    asking("carrier.book"),
    emit(({ context: { order } }) => ({
      type: "carrier.book",
      orderId: order.orderId,
      shipVia: order.shipVia,
      shipCountry: order.shipCountry,
      shippedDate: order.shippedDate,
    })),
  ],
  on: {
    "carrier.booked": {
      target: "underway",
      actions: assign({ trackingNumber: ({ event }) => event.trackingNumber }),
    },
  },
  after: untilAnswered("booking", "carrier.book", {
    target: "#order.compensating",
    actions: endAs("refunded", "The carrier does not answer."),
  }),
});

const underway = chart.createStateConfig({
  after: {
    carrierDeadline: {
      target: "#order.compensating",
      actions: endAs("refunded", "The carrier's deadline passed."),
    },
  },
});

/** Books the carrier and waits for its report, which can overtake the answer to the booking. */
export const shipping = chart.createStateConfig({
  tags: "open",
  initial: "booking",
  states: { booking, underway },
  on: {
    "carrier.delivered": { target: "delivered", actions: assign({ outcome: "delivered" }) },
  },
});
