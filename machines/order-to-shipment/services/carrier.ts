import { type Answer, reply, type Service } from "./service.ts";

interface Booking {
  readonly orderId: string;
  readonly shipVia: number;
  readonly shippedDate: string | null;
}

/** How long a parcel is underway, in milliseconds: a demonstration does not wait for days. */
const underwayMs = 25;

/** Takes every booking; reports the delivery later, but never that of an order without a shipping date. */
export const carrierService: Service = {
  name: "carrier",
  patterns: ["carrier.book", "carrier.cancel"],
  handle(request) {
    if (request.type === "carrier.cancel") return [reply(request, "carrier.cancelled", {})];
    const booking = JSON.parse(request.body) as Booking;
    const trackingNumber = `T${booking.shipVia}-${booking.orderId}`;
    const booked = reply(request, "carrier.booked", { trackingNumber });
    return booking.shippedDate === null ? [booked] : [booked, delivered(booking.orderId)];
  },
};

/** The report is addressed to nobody: the workflow finds its instance by the order's id. */
function delivered(orderId: string): Answer {
  return {
    exchange: "inbound",
    routingKey: "carrier.delivered",
    message: {
      id: `carrier:delivered:${orderId}`,
      type: "carrier.delivered",
      body: JSON.stringify({ orderId }),
    },
    delayMs: underwayMs,
  };
}
