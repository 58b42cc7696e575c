import { z } from "zod";
import { type EmitsOf, type EventsOf, messages } from "../../src/index.ts";
import { itemSchema, orderSchema } from "./order.ts";

const orderId = z.string();
const amount = z.number();
const reason = z.string().min(1);
const refusal = z.object({ reason });

/** The answer of a service. One that comes late, to a request that was repeated, is of no interest. */
function answer<Schema extends z.ZodType>(schema: Schema) {
  return { schema, unaccepted: "ignore" as const };
}

const outcome = z.object({ orderId, reason: z.string() });

/** What the order reacts to, and what it says: requests to services, then news for anybody. */
export const orderMessages = messages({
  events: {
    "order.placed": orderSchema,
    "order.cancel": {
      schema: z.object({ reason, orderId: orderId.optional() }),
      correlate: (cancel) => cancel.orderId,
    },

    "stock.reserved": answer(z.object({ reservationId: z.string() })),
    "stock.refused": answer(refusal),
    "stock.released": answer(z.object({})),

    "payment.authorized": answer(z.object({ authorizationId: z.string() })),
    /** `retryable`: the same card may be asked again later. */
    "payment.declined": answer(refusal.extend({ retryable: z.boolean() })),
    "payment.captured": answer(z.object({ captureId: z.string() })),
    "payment.voided": answer(z.object({})),
    "payment.refunded": answer(z.object({})),

    "warehouse.picked": answer(z.object({})),
    "warehouse.packed": answer(z.object({})),

    "carrier.booked": answer(z.object({ trackingNumber: z.string() })),
    "carrier.cancelled": answer(z.object({})),
    "carrier.delivered": {
      schema: z.object({ orderId }),
      correlate: (report) => report.orderId,
    },
  },
  emits: {
    "stock.reserve": {
      schema: z.object({ orderId, items: z.array(itemSchema) }),
      reply: "stock.reserved",
    },
    "stock.release": { schema: z.object({ orderId }), reply: "stock.released" },

    "payment.authorize": { schema: z.object({ orderId, amount }), reply: "payment.authorized" },
    "payment.capture": { schema: z.object({ orderId, amount }), reply: "payment.captured" },
    "payment.void": { schema: z.object({ orderId }), reply: "payment.voided" },
    "payment.refund": { schema: z.object({ orderId, amount }), reply: "payment.refunded" },

    "warehouse.pick": {
      schema: z.object({ orderId, items: z.array(itemSchema) }),
      reply: "warehouse.picked",
    },
    "warehouse.pack": {
      schema: z.object({ orderId, lines: z.number() }),
      reply: "warehouse.packed",
    },

    "carrier.book": {
      schema: z.object({
        orderId,
        shipVia: z.number(),
        shipCountry: z.string(),
        shippedDate: z.string().nullable(),
      }),
      reply: "carrier.booked",
    },
    "carrier.cancel": { schema: z.object({ orderId }), reply: "carrier.cancelled" },

    "order.delivered": z.object({ orderId }),
    "order.refused": outcome,
    "order.declined": outcome,
    "order.refunded": outcome.extend({ amount }),
    "order.cancelled": outcome,
  },
});

export type OrderEvent = EventsOf<typeof orderMessages.events>;
export type OrderEmitted = EmitsOf<typeof orderMessages.emits>;

/** The types that ask a service for something. */
export type RequestType = Extract<
  OrderEmitted["type"],
  `${"stock" | "payment" | "warehouse" | "carrier"}.${string}`
>;
