import { expect, test } from "vitest";
import { generatedOrder, generatedProducts } from "../../../machines/order-to-shipment/generate.ts";
import { shopServices } from "../../../machines/order-to-shipment/services/shop.ts";

const services = shopServices(generatedProducts);
const order = generatedOrder(1, 1);

function ask(type: string, payload: object, id = "order-to-shipment/1/1/0") {
  const service = services.find(({ patterns }) => patterns.includes(type));
  const body = JSON.stringify({ orderId: "1", ...payload });
  return service?.handle({ id, type, body, correlationId: id, replyTo: "waybill.p.3" }) ?? [];
}

test("An answer goes to the reply queue with the request's correlation id and an id that follows from it", () => {
  expect(ask("payment.capture", { amount: 1 })).toEqual([
    {
      exchange: "",
      routingKey: "waybill.p.3",
      message: {
        id: "re:order-to-shipment/1/1/0",
        type: "payment.captured",
        body: '{"captureId":"C-1"}',
        correlationId: "order-to-shipment/1/1/0",
      },
    },
  ]);
});

test("Every request that is delivered twice gets the same answers", () => {
  const requests = services.flatMap(({ patterns }) => patterns);
  expect(requests).toHaveLength(10);
  for (const type of requests) {
    const first = ask(type, order);
    expect(first.length).toBeGreaterThan(0);
    expect(ask(type, order)).toEqual(first);
  }
});

test("Stock refuses an order as soon as one product in it is discontinued", () => {
  const good = { productId: 1, quantity: 1, unitPrice: 1, discount: 0 };
  const gone = { ...good, productId: 5 };
  expect(ask("stock.reserve", { items: [good] })[0]?.message.type).toBe("stock.reserved");
  expect(ask("stock.reserve", { items: [good, gone] })[0]?.message.type).toBe("stock.refused");
});

test("Payment declines an amount over 5000 and takes 5000 itself", () => {
  expect(ask("payment.authorize", { amount: 5000 })[0]?.message.type).toBe("payment.authorized");
  expect(ask("payment.authorize", { amount: 5000.01 })[0]?.message.type).toBe("payment.declined");
});

test("The carrier reports a delivery to the workflow, but never without a shipping date", () => {
  const booking = { shipVia: 3, shipCountry: "Peru" };
  const [booked, report] = ask("carrier.book", { ...booking, shippedDate: "2026-01-05" });
  expect(booked?.message.type).toBe("carrier.booked");
  expect(report).toMatchObject({ exchange: "inbound", routingKey: "carrier.delivered" });
  expect(report?.message.correlationId).toBeUndefined();
  expect(ask("carrier.book", { ...booking, shippedDate: null })).toHaveLength(1);
});

test("A request that nobody could answer is refused by its service", () => {
  const [stock] = services;
  expect(() => stock?.handle({ type: "stock.release", body: "{}" })).toThrow(/reply queue/);
  expect(() => stock?.handle({ id: "1", type: "stock.reserve", body: "{", replyTo: "q" })).toThrow(
    SyntaxError,
  );
});
