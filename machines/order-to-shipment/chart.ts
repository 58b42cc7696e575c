import { setup } from "xstate";
import { businessDeadlines, deadlinesInMs } from "./deadlines.ts";
import { writeInvoice } from "./invoice.ts";
import type { OrderEmitted, OrderEvent, RequestType } from "./messages.ts";
import type { Order, Outcome } from "./order.ts";

/** The most times that one request is sent before the order gives up on it. */
export const attemptLimit = 4;

/**
 * What may have to be undone. It is noted when a request leaves, not when its answer comes: an answer can
 * be lost after the service has acted.
 */
interface Held {
  readonly stock: boolean;
  readonly money: "nothing" | "authorization" | "payment";
  readonly parcel: boolean;
}

export interface OrderContext {
  readonly order: Order;
  /** How often each request was sent. */
  readonly attempts: { readonly [Request in RequestType]?: number };
  readonly held: Held;
  readonly reservationId: string | null;
  readonly authorizationId: string | null;
  readonly captureId: string | null;
  readonly invoiceNumber: string | null;
  readonly trackingNumber: string | null;
  /** Where the order is bound to end, once that is certain, and why. */
  readonly outcome: Outcome | null;
  readonly reason: string;
}

export interface OrderOutput {
  readonly orderId: string;
  readonly outcome: Outcome;
}

const heldAfter: { readonly [Request in RequestType]?: Partial<Held> } = {
  "stock.reserve": { stock: true },
  "payment.authorize": { money: "authorization" },
  "payment.capture": { money: "payment" },
  "carrier.book": { parcel: true },
};

/** The words that the order's chart is written in. */
export const chart = setup({
  types: {
    input: {} as Order,
    context: {} as OrderContext,
    events: {} as OrderEvent,
    emitted: {} as OrderEmitted,
    output: {} as OrderOutput,
    tags: {} as "open" | "compensating" | "attention",
  },
  actors: { writeInvoice: writeInvoice() },
  delays: { ...deadlinesInMs(businessDeadlines) },
  guards: {
    mayAskAgain: ({ context }, { request }: { request: RequestType }) =>
      (context.attempts[request] ?? 0) < attemptLimit,
    mayPayLater: ({ context, event }) =>
      event.type === "payment.declined" &&
      event.retryable &&
      (context.attempts["payment.authorize"] ?? 0) < attemptLimit,
    stockIsHeld: ({ context }) => context.held.stock,
    authorizationIsHeld: ({ context }) => context.held.money === "authorization",
    paymentIsHeld: ({ context }) => context.held.money === "payment",
    parcelIsHeld: ({ context }) => context.held.parcel,
    endsAs: ({ context }, { outcome }: { outcome: Outcome }) => context.outcome === outcome,
  },
});

/** Counts a request that leaves now, and notes what it may leave behind. */
export function asking(request: RequestType) {
  return chart.assign(({ context }) => ({
    attempts: { ...context.attempts, [request]: (context.attempts[request] ?? 0) + 1 },
    held: { ...context.held, ...heldAfter[request] },
  }));
}

/** Notes, after a clear answer, what money is held now. */
export function holdsMoney(money: Held["money"]) {
  return chart.assign(({ context }) => ({ held: { ...context.held, money } }));
}

/** Decides where the order ends, and why. */
export function endAs(outcome: Outcome, reason: string) {
  return chart.assign({ outcome, reason });
}

/** What to do when an answer does not come: ask again by entering `state` anew, in the end `giveUp`. */
export function untilAnswered<const State extends string, const GiveUp>(
  state: State,
  request: RequestType,
  giveUp: GiveUp,
) {
  const again = {
    guard: { type: "mayAskAgain", params: { request } },
    target: state,
    reenter: true,
  } as const;
  return { answerTimeout: [again, giveUp] } as const;
}
