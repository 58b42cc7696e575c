import { defineWorkflow } from "../../src/index.ts";
import { businessDeadlines, type Deadlines, deadlinesInMs } from "./deadlines.ts";
import { writeInvoice } from "./invoice.ts";
import { orderMachine } from "./machine.ts";
import { orderMessages } from "./messages.ts";
import { orderSchema } from "./order.ts";

export interface OrderToShipmentOptions extends Partial<Deadlines> {
  /** Where invoices are written; without it they only get their number. */
  readonly invoiceFolder?: string;
}

/**
 * The workflow `order-to-shipment`, with the shop's deadlines unless others are given.
 * @throws WaybillError `invalid-duration`.
 * @example
 * orderToShipment({ paymentDeadline: "5m", carrierDeadline: "7d" })
 */
export function orderToShipment(options: OrderToShipmentOptions = {}) {
  const { invoiceFolder, ...deadlines } = options;
  return defineWorkflow({
    name: "order-to-shipment",
    version: "1",
    machine: orderMachine.provide({
      delays: deadlinesInMs({ ...businessDeadlines, ...deadlines }),
      actors: { writeInvoice: writeInvoice(invoiceFolder) },
    }),
    input: orderSchema,
    startedBy: ["order.placed"],
    instanceId: (order) => order.orderId,
    events: orderMessages.events,
    emits: orderMessages.emits,
    attributes: ({ order }) => ({ customerId: order.customerId, shipCountry: order.shipCountry }),
  });
}
