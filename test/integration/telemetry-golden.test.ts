import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import { openTracedShop, placeOrder } from "../support/traced-shop.ts";
import { plainOrder } from "../unit/machines/order-play.ts";

const kinds = ["internal", "server", "client", "producer", "consumer"];

/** Each span under its parent by name, without what differs from run to run. */
function treeOf(spans: readonly ReadableSpan[], parent?: string, depth = 0): string {
  return spans
    .filter((span) => span.parentSpanContext?.spanId === parent)
    .map((span) => {
      const { name, kind, attributes, links } = span;
      const told = Object.entries(attributes)
        .filter(([key]) => shown.has(key))
        .map(([key, value]) => `${shown.get(key)}=${String(value)}`);
      const linked = links.length > 0 ? [`${links.length} linked`] : [];
      const line = [`${name} [${kinds[kind]}]`, ...told, ...linked].join(" ");
      return `${"  ".repeat(depth)}${line}\n${treeOf(spans, span.spanContext().spanId, depth + 1)}`;
    })
    .join("");
}

const shown = new Map([
  ["workflow.state.from", "from"],
  ["workflow.state.to", "to"],
  ["workflow.service.name", "service"],
  ["workflow.timer.name", "timer"],
  ["http.response.status_code", "status"],
  ["messaging.batch.message_count", "messages"],
  ["messaging.destination.name", "at"],
]);

test("One order leaves one trace, from its request to the last answer of a service", async () => {
  const exporter = new InMemorySpanExporter();
  const keeping = new SimpleSpanProcessor({ exporter });
  const shop = await openTracedShop(keeping, { batchMessages: 1 });
  const placed = await placeOrder(shop, plainOrder);
  const { traces } = (await placed.json()) as { readonly traces: readonly string[] };
  await keeping.forceFlush();
  const spans = exporter.getFinishedSpans();
  const request = spans.find(({ name }) => name.startsWith("POST"));
  expect(traces).toEqual([request?.spanContext().traceId]);
  await shop.close();
  const byName = spans.toSorted((left, right) => left.name.localeCompare(right.name));
  expect(treeOf(byName)).toMatchInlineSnapshot(`
    "commit [client] messages=1
    POST /workflows/:workflow/instances [server] status=200
      send waybill.p.0 [producer] at=waybill.p.0
        process waybill.start [consumer] at=waybill.p.0 to=reserving
          commit [client] messages=1
          send waybill.events:stock.reserve [producer] at=waybill.events:stock.reserve
            process stock.reserve [consumer] at=shop.stock service=stock
              process stock.reserved [consumer] at=waybill.p.0 from=reserving to=paying.authorizing
                commit [client] messages=1
                send waybill.events:payment.authorize [producer] at=waybill.events:payment.authorize
                  process payment.authorize [consumer] at=shop.payment service=payment
                    process payment.authorized [consumer] at=waybill.p.0 from=paying.authorizing to=paying.capturing
                      commit [client] messages=1
                      send waybill.events:payment.capture [producer] at=waybill.events:payment.capture
                        process payment.capture [consumer] at=shop.payment service=payment
                          process payment.captured [consumer] at=waybill.p.0 from=paying.capturing to=fulfilling.picking.asked fulfilling.packing.asked fulfilling.invoicing.writing
                            activity order-to-shipment.writeInvoice [internal]
                              process result [internal] from=fulfilling.picking.asked fulfilling.packing.asked fulfilling.invoicing.writing to=fulfilling.picking.asked fulfilling.packing.asked fulfilling.invoicing.written
                                commit [client] messages=1
                            commit [client] messages=1
                            send waybill.events:warehouse.pack [producer] at=waybill.events:warehouse.pack
                              process warehouse.pack [consumer] at=shop.warehouse service=warehouse
                                process warehouse.packed [consumer] at=waybill.p.0 from=fulfilling.picking.picked fulfilling.packing.asked fulfilling.invoicing.written to=shipping.booking
                                  commit [client] messages=1
                                  send waybill.events:carrier.book [producer] at=waybill.events:carrier.book
                                    process carrier.book [consumer] at=shop.carrier service=carrier
                                      process carrier.booked [consumer] at=waybill.p.0 from=shipping.booking to=shipping.underway
                                        commit [client] messages=1
                                      process carrier.delivered [consumer] at=waybill.p.0 from=shipping.underway to=delivered
                                        commit [client] messages=1
                                        send waybill.events:order.delivered [producer] at=waybill.events:order.delivered
                            send waybill.events:warehouse.pick [producer] at=waybill.events:warehouse.pick
                              process warehouse.pick [consumer] at=shop.warehouse service=warehouse
                                process warehouse.picked [consumer] at=waybill.p.0 from=fulfilling.picking.asked fulfilling.packing.asked fulfilling.invoicing.written to=fulfilling.picking.picked fulfilling.packing.asked fulfilling.invoicing.written
                                  commit [client] messages=1
    "
  `);
});
