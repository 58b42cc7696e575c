import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "amqplib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generatedOrder, generatedProducts } from "../../../machines/order-to-shipment/generate.ts";
import type { Order } from "../../../machines/order-to-shipment/order.ts";
import { paymentLimit } from "../../../machines/order-to-shipment/services/payment.ts";
import type { Child } from "../../support/child-process.ts";
import { getJson, ProcessLab, putJson, type Served, serviceNames } from "./lab.ts";

const orders = Array.from({ length: 120 }, (_, index) => generatedOrder(5, index));
const workflow = "workflows/order-to-shipment";
/** Long enough for another engine to take over: no order may miss its carrier because of a kill. */
const deadlines = ["--deadlines", "35s"];

let lab: ProcessLab;
beforeAll(async () => {
  lab = await ProcessLab.open();
}, 120_000);
afterAll(() => lab.close(), 120_000);

function endOf({ items, amount, shippedDate }: Order): string {
  const gone = generatedProducts.filter(({ discontinued }) => discontinued);
  if (items.some((item) => gone.some(({ productId }) => productId === item.productId))) {
    return "refused";
  }
  if (amount > paymentLimit) return "declined";
  return shippedDate === null ? "refunded" : "delivered";
}

/** Starts an order at any of the servers, again until one of them has it. */
async function place(order: Order, servers: readonly Served[]): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { url } = servers[attempt % servers.length] ?? expect.fail("no server");
    const status = await putJson(`${url}/${workflow}/instances/${order.orderId}`, order);
    if (status === 200 || status === 201) return;
    await sleep(200);
  }
  throw new Error(`${order.orderId} was never taken`);
}

async function placeAll(some: readonly Order[], servers: readonly Served[]): Promise<void> {
  const left = some.values();
  const worker = async () => {
    for (const order of left) await place(order, servers.toReversed());
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

/** Ids of the news about orders by type, as another service hears them. */
async function listen(): Promise<Map<string, Set<string>>> {
  const connection = await connect(lab.broker.url("guest"));
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, `${lab.prefix}.events`, "order.*");
  const heard = new Map<string, Set<string>>();
  await channel.consume(
    queue,
    (message) => {
      if (message === null) return;
      const type = String(message.properties.type);
      const ids = heard.get(type) ?? new Set<string>();
      heard.set(type, ids.add(String(message.properties.messageId)));
    },
    { noAck: true },
  );
  return heard;
}

async function countsAt({ url }: Served): Promise<Record<string, number>> {
  const { counts } = await getJson<{ counts: Record<string, number> }>(`${url}/${workflow}`);
  return Object.fromEntries(
    Object.entries(counts).filter(([term]) => /^(state|status):/.test(term)),
  );
}

async function historyIds(url: string, order: Order): Promise<readonly string[]> {
  const { items } = await getJson<{ items: readonly { messageId?: string }[] }>(
    `${url}/${workflow}/instances/${order.orderId}/history`,
  );
  return items.flatMap(({ messageId }) => (messageId === undefined ? [] : [messageId]));
}

test("120 orders end as they should and nothing is done twice, though an engine and a service are killed", async () => {
  const services = new Map<string, Child>();
  for (const name of serviceNames) services.set(name, await lab.service(name));
  const one = await lab.serve({}, deadlines);
  const other = await lab.serve({}, deadlines);
  const heard = await listen();

  await placeAll(orders.slice(0, 50), [one, other]);
  const placing = placeAll(orders.slice(50), [one, other]);
  await sleep(100);
  await other.child.end("SIGKILL");
  await services.get("payment")?.end("SIGKILL");
  await sleep(500);
  await lab.service("payment");
  await placing;

  const expected: Record<string, number> = {};
  for (const order of orders) {
    const state = `state:${endOf(order)}`;
    expected[state] = (expected[state] ?? 0) + 1;
  }
  expect(Object.keys(expected)).toHaveLength(4);
  await expect
    .poll(() => countsAt(one), { timeout: 150_000, interval: 250 })
    .toEqual({ ...expected, "status:done": orders.length });

  const news = Object.fromEntries([...heard].map(([type, ids]) => [type, ids.size]));
  expect(news).toEqual(
    Object.fromEntries(
      Object.entries(expected).map(([state, count]) => [state.replace("state:", "order."), count]),
    ),
  );
  for (const order of orders) {
    const ids = await historyIds(one.url, order);
    expect(ids.length).toBeGreaterThan(1);
    expect(ids, order.orderId).toEqual([...new Set(ids)]);
  }
  expect(one.child.text).not.toContain("dead letter");
  expect(await services.get("stock")?.end("SIGTERM")).toBe(0);
  expect(await one.child.end("SIGTERM")).toBe(0);
}, 240_000);
