import { expect, test } from "vitest";
import { generatedOrder, generatedProducts } from "../../../machines/order-to-shipment/generate.ts";
import {
  type Order,
  orderSchema,
  type Product,
} from "../../../machines/order-to-shipment/order.ts";
import {
  parseOrders,
  parseProducts,
  readOrders,
  readProducts,
} from "../../../machines/order-to-shipment/order-file.ts";
import { paymentLimit } from "../../../machines/order-to-shipment/services/payment.ts";
import { OrderPlay, plainOrder } from "./order-play.ts";

const generated = Array.from({ length: 400 }, (_, index) => generatedOrder(1, index));

/** What the data alone says about the end of an order. */
function expectedEnd(order: Order, products: readonly Product[]): string {
  const gone = new Set(products.filter((product) => product.discontinued).map((p) => p.productId));
  if (order.items.some(({ productId }) => gone.has(productId))) return "refused";
  if (order.amount > paymentLimit) return "declined";
  return order.shippedDate === null ? "refunded" : "delivered";
}

async function endOf(order: Order, products: readonly Product[]): Promise<string> {
  const play = new OrderPlay(order, { products });
  await play.finish();
  return JSON.stringify(play.snapshot.value).replaceAll('"', "");
}

async function endsOf(orders: readonly Order[], products: readonly Product[]) {
  const ends: Record<string, number> = {};
  for (const order of orders) {
    const end = await endOf(order, products);
    expect(end, order.orderId).toBe(expectedEnd(order, products));
    ends[end] = (ends[end] ?? 0) + 1;
  }
  return ends;
}

test("Every generated order ends where its data says, and all four ends occur", async () => {
  const ends = await endsOf(generated, generatedProducts);
  expect(Object.keys(ends).toSorted()).toEqual(["declined", "delivered", "refunded", "refused"]);
});

test("Orders from outside, where WAYBILL_ORDERS names a file, end where their data says", async () => {
  const { WAYBILL_ORDERS: orderFile, WAYBILL_PRODUCTS: productFile } = process.env;
  const orders = orderFile === undefined ? [plainOrder] : await readOrders(orderFile);
  const products = productFile === undefined ? generatedProducts : await readProducts(productFile);
  const ends = await endsOf(orders, products);
  expect(Object.values(ends).reduce((sum, count) => sum + count)).toBe(orders.length);
  if (orderFile !== undefined) console.log(ends);
});

test("The same seed and number give the same order, and it is a valid one with its own id", () => {
  expect(generatedOrder(1, 17)).toEqual(generatedOrder(1, 17));
  expect(generatedOrder(2, 17)).not.toEqual(generatedOrder(1, 17));
  for (const order of generated) expect(orderSchema.parse(order)).toEqual(order);
  expect(new Set(generated.map(({ orderId }) => orderId)).size).toBe(generated.length);
});

test("Orders are read a line at a time, and one that stands there twice counts once", () => {
  const line = JSON.stringify(plainOrder);
  expect(parseOrders(`${line}\n\n${line}\r\n`, "f")).toEqual([plainOrder]);
  expect(parseOrders("", "f")).toEqual([]);
});

test("Every line that cannot be used is named with its number and the place in it", () => {
  const lines = [
    JSON.stringify(plainOrder),
    "{",
    JSON.stringify({
      ...plainOrder,
      orderId: "a b",
      items: [{ ...plainOrder.items[0], quantity: 0 }],
    }),
    JSON.stringify({ ...plainOrder, amount: 26 }),
  ];
  expect(() => parseOrders(lines.join("\n"), "orders.ndjson")).toThrow(
    expect.objectContaining({
      code: "invalid-file",
      problems: [
        "line 2: not JSON.",
        expect.stringMatching(/^line 3: \/orderId: .*; \/items\/0\/quantity: /),
        "line 4: 1 is not the same as on line 1.",
      ],
    }),
  );
});

test("At most ten lines are named, and the others counted", () => {
  const text = "x\n".repeat(12);
  expect(() => parseProducts(text, "f")).toThrow(
    expect.objectContaining({
      problems: expect.objectContaining({ length: 11, 10: "and 2 more lines." }),
    }),
  );
});

test("A file that is not there is named", async () => {
  await expect(readOrders("/no/such/file")).rejects.toMatchObject({ code: "unreadable-file" });
});
