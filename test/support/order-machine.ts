import { assign, cancel, emit, raise, sendParent, sendTo, setup } from "xstate";
import { z } from "zod";
import { type ActivityArguments, activity } from "../../src/activity.ts";
import { defineWorkflow, type EmitsOf, type EventsOf, messages } from "../../src/workflow.ts";

/**
 * An order as a shop has it: payment with a deadline, reservation with backoff, picking and paperwork side by
 * side, a hold that comes back to where it was (deep history), a shipment as a child workflow.
 */
export const OrderInput = z.object({
  orderId: z.string(),
  lines: z.array(z.object({ sku: z.string(), quantity: z.number(), cents: z.number() })),
  payWithinMs: z.number().default(900_000),
});

const id = z.object({ orderId: z.string() });
const byOrder = (payload: { readonly orderId: string }): string => payload.orderId;

export const orderMessages = messages({
  events: {
    "payment.authorized": {
      schema: z.object({ orderId: z.string(), authorization: z.string() }),
      correlate: (payload) => payload.orderId,
    },
    "payment.declined": { schema: id, correlate: byOrder },
    "picking.done": z.object({}),
    "packing.done": z.object({ boxes: z.number() }),
    "order.held": z.object({ by: z.string() }),
    "order.released": z.object({}),
    "order.cancelled": { schema: z.object({ reason: z.string() }), unaccepted: "ignore" },
    "carrier.scanned": z.object({ at: z.string() }),
  },
  emits: {
    "order.placed": id,
    "order.paid": id.extend({ authorization: z.string() }),
    "order.escalated": id,
    "order.delivered": id,
    "order.closed": id,
  },
});

const shipment = setup({
  types: {
    input: {} as { orderId: string },
    context: {} as { orderId: string; tracking: string },
    output: {} as { tracking: string },
    events: {} as { type: "carrier.delivered" } | { type: "carrier.nudged" },
  },
  actors: {
    book: activity({
      run: ({ input }: ActivityArguments<{ orderId: string }>) => ({ tracking: input.orderId }),
    }),
  },
}).createMachine({
  id: "shipment",
  context: ({ input }) => ({ orderId: input.orderId, tracking: "" }),
  output: ({ context }) => ({ tracking: context.tracking }),
  initial: "booking",
  states: {
    booking: {
      invoke: {
        id: "book",
        src: "book",
        input: ({ context }) => ({ orderId: context.orderId }),
        onDone: {
          target: "moving",
          actions: assign({ tracking: ({ event }) => event.output.tracking }),
        },
      },
    },
    moving: {
      entry: sendParent({ type: "shipment.moved", share: 0.5 }),
      on: { "carrier.delivered": "arrived", "carrier.nudged": { actions: [] } },
    },
    arrived: { type: "final" },
  },
});

interface OrderContext {
  readonly orderId: string;
  readonly lines: z.infer<typeof OrderInput>["lines"];
  readonly totalCents: number;
  readonly payWithinMs: number;
  readonly attempts: number;
  readonly authorization?: string;
  readonly reservation?: string;
  readonly tracking?: string;
}

export const orderMachine = setup({
  types: {
    input: {} as z.infer<typeof OrderInput>,
    context: {} as OrderContext,
    events: {} as EventsOf<typeof orderMessages.events> | { type: "shipment.moved"; share: number },
    emitted: {} as EmitsOf<typeof orderMessages.emits>,
    output: {} as { delivered: boolean; tracking?: string | undefined },
    tags: {} as "open" | "waiting",
  },
  actors: {
    reserve: activity({
      run: ({ input }: ActivityArguments<{ orderId: string }>) => ({ reservation: input.orderId }),
    }),
    invoice: activity({
      run: ({ input }: ActivityArguments<{ cents: number }>) => `${input.cents}`,
    }),
    refund: activity<void, { cents: number }>({ local: false }),
    shipment,
  },
  delays: {
    payWithin: ({ context }) => context.payWithinMs,
    backoff: ({ context }) => 1_000 * 2 ** context.attempts,
    holdAtMost: 3 * 86_400_000,
  },
  guards: {
    mayRetry: ({ context }) => context.attempts < 3,
    costsMore: ({ context }, params: { than: number }) => context.totalCents > params.than,
  },
  actions: { audit() {} },
}).createMachine({
  id: "order",
  context: ({ input }) => ({
    orderId: input.orderId,
    lines: input.lines,
    totalCents: input.lines.reduce((sum, line) => sum + line.quantity * line.cents, 0),
    payWithinMs: input.payWithinMs,
    attempts: 0,
  }),
  entry: emit(({ context }) => ({ type: "order.placed", orderId: context.orderId })),
  output: ({ context }) => ({ delivered: "tracking" in context, tracking: context.tracking }),
  on: {
    "order.cancelled": {
      target: ".compensating",
      actions: { type: "audit", params: { what: "cancel" } },
    },
  },
  initial: "awaitingPayment",
  states: {
    awaitingPayment: {
      tags: ["open", "waiting"],
      after: { payWithin: "closed" },
      on: {
        "payment.authorized": {
          target: "reserving",
          actions: [
            assign({ authorization: ({ event }) => event.authorization }),
            emit(({ context, event: { authorization } }) => ({
              type: "order.paid",
              orderId: context.orderId,
              authorization,
            })),
          ],
        },
        "payment.declined": [
          {
            guard: "mayRetry",
            target: "awaitingPayment",
            reenter: true,
            actions: assign({ attempts: ({ context }) => context.attempts + 1 }),
          },
          { target: "closed" },
        ],
      },
    },
    reserving: {
      tags: "open",
      invoke: {
        id: "reserve",
        src: "reserve",
        input: ({ context }) => ({ orderId: context.orderId }),
        onDone: {
          target: "fulfilment",
          actions: assign({ reservation: ({ event }) => event.output.reservation }),
        },
        onError: [
          {
            guard: "mayRetry",
            target: "backingOff",
            actions: assign({ attempts: ({ context }) => context.attempts + 1 }),
          },
          { target: "compensating" },
        ],
      },
    },
    backingOff: { after: { backoff: "reserving" } },
    fulfilment: {
      type: "parallel",
      on: { "order.held": "onHold" },
      onDone: "shipping",
      states: {
        floor: {
          initial: "picking",
          states: {
            picking: { on: { "picking.done": "packing" } },
            packing: { on: { "packing.done": "packed" } },
            packed: { type: "final" },
          },
        },
        paper: {
          initial: "choosing",
          states: {
            choosing: {
              always: [
                { guard: { type: "costsMore", params: { than: 1_000_000 } }, target: "byHand" },
                { target: "invoicing" },
              ],
            },
            byHand: { after: { 60_000: "invoicing" } },
            invoicing: {
              invoke: {
                id: "invoice",
                src: "invoice",
                input: ({ context }) => ({ cents: context.totalCents }),
                onDone: "invoiced",
                onError: "#order.compensating",
              },
            },
            invoiced: { type: "final" },
          },
        },
        before: { type: "history", history: "deep" },
      },
    },
    onHold: {
      after: { holdAtMost: "compensating" },
      on: { "order.released": "fulfilment.before" },
    },
    shipping: {
      after: { 1_209_600_000: "escalated" },
      invoke: {
        id: "ship",
        src: "shipment",
        input: ({ context }) => ({ orderId: context.orderId }),
        onDone: {
          target: "delivered",
          actions: assign({ tracking: ({ event }) => event.output.tracking }),
        },
        onError: "compensating",
      },
      on: {
        "shipment.moved": { actions: { type: "audit", params: { what: "moved" } } },
        "carrier.scanned": { actions: sendTo("ship", { type: "carrier.nudged" }) },
      },
    },
    escalated: {
      entry: [
        emit(({ context }) => ({ type: "order.escalated", orderId: context.orderId })),
        raise(
          { type: "order.cancelled", reason: "nobody cared" },
          { delay: 86_400_000, id: "giveUp" },
        ),
      ],
      exit: cancel("giveUp"),
    },
    compensating: {
      invoke: {
        id: "refund",
        src: "refund",
        input: ({ context }) => ({ cents: context.totalCents }),
        onDone: "closed",
      },
    },
    delivered: {
      type: "final",
      entry: emit(({ context }) => ({ type: "order.delivered", orderId: context.orderId })),
    },
    closed: {
      type: "final",
      entry: emit(({ context }) => ({ type: "order.closed", orderId: context.orderId })),
    },
  },
});

export const order = defineWorkflow({
  ...orderMessages,
  name: "order",
  version: "1",
  machine: orderMachine,
  input: OrderInput,
  startedBy: ["shop.checked-out"],
  instanceId: (input) => input.orderId,
  attributes: (context) => ({ cents: context.totalCents }),
});

export const orderInput: z.infer<typeof OrderInput> = {
  orderId: "o1",
  lines: [{ sku: "A", quantity: 2, cents: 1_500 }],
  payWithinMs: 900_000,
};
