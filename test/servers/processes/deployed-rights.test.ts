import { connect } from "amqplib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generatedOrder } from "../../../machines/order-to-shipment/generate.ts";
import { getJson, ProcessLab, putJson, serviceNames } from "./lab.ts";

let lab: ProcessLab;
beforeAll(async () => {
  lab = await ProcessLab.open("waybill");
}, 120_000);
afterAll(() => lab.close(), 120_000);

test("the users of the compose file may do what engine and services need, and services no more", async () => {
  await lab.broker.control("delete_user", "engine");
  await lab.broker.control("import_definitions", "deploy/rabbitmq/definitions.json");
  const shop = lab.broker.url("guest").replace("guest:guest", "shop:shop");
  // Services may well be there before the engine.
  await Promise.all(serviceNames.map((name) => lab.service(name, shop)));
  const engine = await lab.serve();
  const url = `${engine.url}/workflows/order-to-shipment/instances/rights-1`;
  const order = {
    ...generatedOrder(7, 0),
    orderId: "rights-1",
    items: [{ productId: 1, quantity: 1, unitPrice: 10, discount: 0 }],
    amount: 10,
    shippedDate: "2026-02-03",
  };
  await expect.poll(() => putJson(url, order), { timeout: 30_000 }).toBe(201);
  await expect
    .poll(async () => (await getJson<{ state: unknown }>(url)).state, { timeout: 20_000 })
    .toBe("delivered");
  const connection = await connect(shop);
  const channel = await connection.createChannel();
  channel.on("error", () => undefined);
  const prying = channel.consume("waybill.p.0", () => undefined);
  await expect(prying).rejects.toThrow(/ACCESS_REFUSED/);
  await connection.close();
}, 120_000);
