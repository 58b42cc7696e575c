import { expect, test } from "vitest";
import { attemptLimit } from "../../../machines/order-to-shipment/chart.ts";
import { OrderPlay, plainOrder } from "./order-play.ts";

const discontinued = [
  { productId: 1, name: "Chalk", unitPrice: 1, unitsInStock: 1, discontinued: true },
];
const cancel = { type: "order.cancel", reason: "changed my mind" } as const;

test("A plain order is reserved, paid, picked, packed, invoiced, booked and delivered", async () => {
  const play = new OrderPlay(plainOrder);
  await play.settle();
  expect(play.snapshot.value).toBe("delivered");
  expect(play.snapshot.output).toEqual({ orderId: "1", outcome: "delivered" });
  expect(play.types).toEqual([
    "stock.reserve",
    "payment.authorize",
    "payment.capture",
    "warehouse.pick",
    "warehouse.pack",
    "carrier.book",
    "order.delivered",
  ]);
  expect(play.snapshot.context).toMatchObject({
    reservationId: "R-1",
    authorizationId: "A-1",
    captureId: "C-1",
    invoiceNumber: "INV-1",
    trackingNumber: "T2-1",
  });
});

test("An order of a discontinued product is refused before any money moves", async () => {
  const play = new OrderPlay(plainOrder, { products: discontinued });
  await play.settle();
  expect(play.snapshot.output).toEqual({ orderId: "1", outcome: "refused" });
  expect(play.types).toEqual(["stock.reserve", "order.refused"]);
  expect(play.said.at(-1)).toMatchObject({ reason: "Chalk is discontinued." });
});

test("An amount over the limit is declined after its stock was released", async () => {
  const play = new OrderPlay({ ...plainOrder, amount: 5000.01 });
  await play.settle();
  expect(play.snapshot.output).toEqual({ orderId: "1", outcome: "declined" });
  expect(play.types).toEqual([
    "stock.reserve",
    "payment.authorize",
    "stock.release",
    "order.declined",
  ]);
});

test("A decline that may pass is tried again after a pause, and not for ever", async () => {
  let left = 1;
  const later = { type: "payment.declined", reason: "busy", retryable: true } as const;
  const once = new OrderPlay(plainOrder, {
    instead: (event) => (event.type === "payment.authorized" && left-- > 0 ? [later] : [event]),
  });
  await once.settle();
  expect(once.snapshot.value).toEqual({ paying: "pausing" });
  await once.finish();
  expect(once.snapshot.value).toBe("delivered");

  const always = new OrderPlay(plainOrder, {
    instead: (event) => (event.type === "payment.authorized" ? [later] : [event]),
  });
  await always.finish();
  expect(always.snapshot.value).toBe("declined");
  expect(always.types.filter((type) => type === "payment.authorize")).toHaveLength(attemptLimit);
});

test("A payment that is not captured before its deadline is given back and declined", async () => {
  const play = new OrderPlay(plainOrder, { reaches: ({ type }) => type !== "payment.capture" });
  await play.until("paying.capturing");
  play.clock.increment(15 * 60_000);
  await play.settle();
  expect(play.snapshot.value).toBe("declined");
  expect(play.types).toContain("payment.refund");
  expect(play.types).toContain("stock.release");
});

test("A parcel that the carrier never reports is recalled and refunded after the deadline", async () => {
  const play = new OrderPlay({ ...plainOrder, shippedDate: null });
  await play.settle();
  expect(play.snapshot.value).toEqual({ shipping: "underway" });
  play.clock.increment(14 * 86_400_000 - 1);
  expect(play.snapshot.value).toEqual({ shipping: "underway" });
  play.clock.increment(1);
  await play.settle();
  expect(play.snapshot.output).toEqual({ orderId: "1", outcome: "refunded" });
  expect(play.types.slice(6).toSorted()).toEqual([
    "carrier.cancel",
    "order.refunded",
    "payment.refund",
    "stock.release",
  ]);
});

test("A report of delivery that overtakes the answer to the booking is believed", async () => {
  const play = new OrderPlay(plainOrder, {
    instead: (event) => (event.type === "carrier.booked" ? [] : [event]),
  });
  await play.settle();
  expect(play.snapshot.value).toBe("delivered");
});

const requests = [
  "stock.reserve",
  "payment.authorize",
  "payment.capture",
  "warehouse.pick",
  "warehouse.pack",
  "carrier.book",
] as const;

test.each(requests)(
  "A lost %s is sent again, and the order is still delivered",
  async (request) => {
    const play = new OrderPlay(plainOrder, {
      reaches: ({ type }, attempt) => type !== request || attempt === attemptLimit,
    });
    await play.finish();
    expect(play.snapshot.value).toBe("delivered");
    expect(play.types.filter((type) => type === request)).toHaveLength(attemptLimit);
  },
);

const silent = [
  ["stock.reserve", "refused", ["stock.release"]],
  ["payment.authorize", "declined", ["payment.void", "stock.release"]],
  ["payment.capture", "declined", ["payment.refund", "stock.release"]],
  ["warehouse.pick", "refunded", ["payment.refund", "stock.release"]],
  ["warehouse.pack", "refunded", ["payment.refund", "stock.release"]],
  ["carrier.book", "refunded", ["carrier.cancel", "payment.refund", "stock.release"]],
] as const;

test.each(silent)(
  "When nobody answers %s the order ends as %s, undone by %j",
  async (request, end, undone) => {
    const play = new OrderPlay(plainOrder, { reaches: ({ type }) => type !== request });
    await play.finish();
    expect(play.snapshot.output).toEqual({ orderId: "1", outcome: end });
    const last = play.types.lastIndexOf(request);
    const after = play.types.slice(last + 1).filter((type) => !type.startsWith("order."));
    expect(after.filter((type) => !type.startsWith("warehouse.")).toSorted()).toEqual(undone);
  },
);

const moments = [
  ["reserving", ["stock.release"]],
  ["paying.authorizing", ["payment.void", "stock.release"]],
  ["paying.capturing", ["payment.refund", "stock.release"]],
  ["fulfilling", ["payment.refund", "stock.release"]],
  ["shipping.booking", ["carrier.cancel", "payment.refund", "stock.release"]],
  ["shipping.underway", ["carrier.cancel", "payment.refund", "stock.release"]],
] as const;

test.each(moments)("An order that is cancelled in %s is undone by %j", async (state, undone) => {
  const play = new OrderPlay({ ...plainOrder, shippedDate: null });
  await play.until(state);
  const before = play.said.length;
  await play.send(cancel);
  expect(play.snapshot.output).toEqual({ orderId: "1", outcome: "cancelled" });
  const after = play.said.slice(before).map(({ type }) => type);
  expect(after.toSorted()).toEqual([...undone, "order.cancelled"].toSorted());
  expect(play.said.at(-1)).toMatchObject({ reason: "changed my mind" });
});

test("A cancellation while a decline is being undone makes the order end as cancelled", async () => {
  const play = new OrderPlay({ ...plainOrder, amount: 9000 });
  await play.until("compensating");
  await play.send(cancel);
  expect(play.snapshot.value).toBe("cancelled");
});

test("A delivered order cannot be cancelled any more", async () => {
  const play = new OrderPlay(plainOrder);
  await play.settle();
  expect(play.snapshot.can(cancel)).toBe(false);
});

test("A compensation that nobody confirms asks for attention and goes on trying", async () => {
  const play = new OrderPlay(
    { ...plainOrder, amount: 9000 },
    { reaches: ({ type }, attempt) => type !== "stock.release" || attempt > attemptLimit },
  );
  await play.until("compensating");
  for (let attempt = 0; attempt < attemptLimit; attempt += 1) play.clock.increment(30_000);
  expect(play.snapshot.hasTag("attention")).toBe(true);
  await play.finish();
  expect(play.snapshot.value).toBe("declined");
});

test("The context survives JSON in every state", async () => {
  const play = new OrderPlay({ ...plainOrder, shippedDate: null });
  for (const state of ["reserving", "paying", "fulfilling", "shipping", "compensating"]) {
    await play.until(state);
    const { context } = play.snapshot;
    expect(JSON.parse(JSON.stringify(context))).toStrictEqual(context);
    if (state === "shipping") await play.settle();
    if (state === "shipping") play.clock.increment(14 * 86_400_000);
  }
});
