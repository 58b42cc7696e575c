import type { SpanProcessor } from "@opentelemetry/sdk-trace";
import type { Hono } from "hono";
import { generatedProducts } from "../../machines/order-to-shipment/generate.ts";
import { shopServices } from "../../machines/order-to-shipment/services/shop.ts";
import { orderToShipment } from "../../machines/order-to-shipment/workflow.ts";
import { startService } from "../../src/cli/service-host.ts";
import type { Limits } from "../../src/engine/limits.ts";
import { waybillRoutes } from "../../src/http/routes.ts";
import { openTracing } from "../../src/telemetry/open-tracing.ts";
import { telemetrySettings } from "../../src/telemetry/telemetry-settings.ts";
import { type RunningEngine, startEngine } from "./memory-engine.ts";
import { memoryWorld } from "./world.ts";

/** The shop on adapters in memory, under HTTP, with every span going to one processor. */
export interface TracedShop {
  readonly app: Hono;
  readonly engine: RunningEngine;
  /** Lets the store's clock jump. */
  skip(durationMs: number): void;
  /** Stops it and hands out what spans are left. */
  close(): Promise<void>;
}

export async function openTracedShop(
  processor: SpanProcessor,
  limits: Partial<Limits> = {},
): Promise<TracedShop> {
  const settings = telemetrySettings({ OTEL_TRACES_EXPORTER: "otlp" });
  const tracing = openTracing({ settings, system: "memory", service: "shop", processor });
  const { tracer } = tracing;
  const world = memoryWorld();
  const connection = await world.connect("shop");
  const hosts = await Promise.all(
    shopServices(generatedProducts).map((service) =>
      startService({
        transport: connection,
        clock: world.clock,
        tracer,
        service,
        queue: `shop.${service.name}`,
        trouble: (line) => {
          throw new Error(line);
        },
      }),
    ),
  );
  const workflows = [orderToShipment({ carrierDeadline: "30d" })];
  const engine = await startEngine(world, { workflows, limits, partitions: 1, tracer });
  return {
    app: waybillRoutes(engine.client, { tracer }),
    engine,
    skip: (durationMs) => world.skip(durationMs),
    async close() {
      await Promise.all(hosts.map((host) => host.stop()));
      await engine.stop();
      await connection.close();
      await tracing.close();
      await world.end();
    },
  };
}

/** Places an order by HTTP and waits until it is delivered, or in another state. */
export async function placeOrder(
  { app }: TracedShop,
  order: object,
  until = "done",
): Promise<Response> {
  const response = await app.request(`/workflows/order-to-shipment/instances?until=${until}`, {
    method: "POST",
    headers: { "content-type": "application/json", prefer: "wait=10" },
    body: JSON.stringify(order),
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return response;
}
