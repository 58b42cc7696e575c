import { expect, test } from "vitest";
import { generatedOrder, generatedProducts } from "../../../machines/order-to-shipment/generate.ts";
import { outcomes } from "../../../machines/order-to-shipment/order.ts";
import { shopServices } from "../../../machines/order-to-shipment/services/shop.ts";
import { orderToShipment } from "../../../machines/order-to-shipment/workflow.ts";
import { isComplete } from "../../../src/cli/report.ts";
import { runOrders } from "../../../src/cli/run-orders.ts";
import { type ServiceHost, startService } from "../../../src/cli/service-host.ts";
import { systemClock as clock } from "../../../src/clock.ts";
import { createEngine, type RunningEngine } from "../../../src/wiring.ts";

const items = Array.from({ length: 120 }, (_, index) => generatedOrder(3, index))
  // Without the orders that end by a deadline nobody has to wait, and nothing depends on how fast this is.
  .filter(({ shippedDate }) => shippedDate !== null)
  .map((input) => ({ id: input.orderId, input }));

async function openShop(engine: RunningEngine): Promise<readonly ServiceHost[]> {
  const hosts = shopServices(generatedProducts).map(async (service) => {
    const transport = engine.connect(service.name);
    await transport.open();
    const queue = `waybill.${service.name}`;
    return startService({ transport, clock, service, queue, trouble: expect.unreachable });
  });
  return Promise.all(hosts);
}

test("Generated orders run through engine and services to their ends, and a second run changes nothing", async () => {
  const workflow = orderToShipment();
  const engine = createEngine({ workflows: [workflow], store: "memory:", broker: "memory:" });
  await engine.start();
  const hosts = await openShop(engine);
  const run = { client: engine.client, clock, workflow: workflow.name, items, outcomes };

  const first = await runOrders(run);
  expect(isComplete(first)).toBe(true);
  expect(first).toMatchObject({ endedHere: items.length, refused: [] });
  expect(first.final["delivered"]).toBeGreaterThan(items.length / 2);
  expect((await engine.client.deadLetters()).items).toEqual([]);

  const second = await runOrders(run);
  expect(second).toMatchObject({ final: first.final, endedHere: 0, endedBefore: items.length });

  await Promise.all(hosts.map((host) => host.stop()));
  await engine.stop();
});
