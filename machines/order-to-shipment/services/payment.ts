import { type Answer, type Request, reply, type Service } from "./service.ts";

/** The highest amount that a customer may pay at once. */
export const paymentLimit = 5_000;

interface Payment {
  readonly orderId: string;
  readonly amount: number;
}

/** Authorises, captures and gives back any amount up to the limit. */
export const paymentService: Service = {
  name: "payment",
  patterns: ["payment.authorize", "payment.capture", "payment.void", "payment.refund"],
  handle(request) {
    return [answer(request, JSON.parse(request.body) as Payment)];
  },
};

function answer(request: Request, { orderId, amount }: Payment): Answer {
  switch (request.type) {
    case "payment.authorize":
      return amount > paymentLimit
        ? reply(request, "payment.declined", {
            reason: `${amount} is over the limit of ${paymentLimit}.`,
            retryable: false,
          })
        : reply(request, "payment.authorized", { authorizationId: `A-${orderId}` });
    case "payment.capture":
      return reply(request, "payment.captured", { captureId: `C-${orderId}` });
    case "payment.void":
      return reply(request, "payment.voided", {});
    case "payment.refund":
      return reply(request, "payment.refunded", {});
    case undefined:
    default:
      throw new Error(`Payment knows no ${request.type ?? "request without type"}.`);
  }
}
