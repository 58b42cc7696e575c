import { afterAll, beforeAll, expect, test } from "vitest";
import { generatedOrder } from "../../../machines/order-to-shipment/generate.ts";
import { type JaegerTrace, problemsOf, tagOf, treeOf } from "../../support/jaeger-traces.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../../support/otlp-receiver.ts";
import { getJson, ProcessLab, putJson, serviceNames } from "./lab.ts";

let lab: ProcessLab;
let receiver: OtlpReceiver;

beforeAll(async () => {
  [lab, receiver] = await Promise.all([ProcessLab.open(), startOtlpReceiver()]);
}, 120_000);

afterAll(async () => {
  await lab.close();
  await receiver.close();
});

test("One trace holds an order from its request in one process through the engine's and the services', over RabbitMQ", async () => {
  const told = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
  const engine = lab.serve({ ...told, OTEL_SERVICE_NAME: "engine" });
  const http = lab.serve({ ...told, OTEL_SERVICE_NAME: "http", WAYBILL_ROLES: "http" });
  await Promise.all(serviceNames.map((name) => lab.service(name)));
  const [{ child: engineChild }, { child: httpChild, url }] = await Promise.all([engine, http]);
  const order = { ...generatedOrder(3, 0), shippedDate: "2026-01-05" };
  const instance = `${url}/workflows/order-to-shipment/instances/${order.orderId}`;
  await expect.poll(() => putJson(instance, order), { timeout: 20_000 }).toBeLessThan(300);
  const ended = async () => (await getJson<{ status: string }>(instance)).status;
  await expect.poll(ended, { timeout: 20_000 }).toBe("done");
  // What is not sent yet goes out at the stop.
  await Promise.all([engineChild.end("SIGTERM"), httpChild.end("SIGTERM")]);

  const { data: traces } = await getJson<{ data: readonly JaegerTrace[] }>(
    `${receiver.url}/api/traces`,
  );
  expect(problemsOf(traces)).toEqual([]);
  const about = traces.filter(({ spans }) =>
    spans.some((span) => tagOf(span, "workflow.outcome") !== undefined),
  );
  expect(about).toHaveLength(1);
  const names = about.flatMap((trace) => treeOf(trace, ({ operationName }) => operationName));
  expect(names[0]).toBe("PUT /workflows/:workflow/instances/:id");
  expect(names.map((name) => name.trim())).toEqual(
    expect.arrayContaining(["send shop.events:stock.reserve", "process stock.reserved", "commit"]),
  );
  const { data: services } = await getJson<{ data: readonly string[] }>(
    `${receiver.url}/api/services`,
  );
  expect(services.toSorted((left, right) => left.localeCompare(right))).toEqual(["engine", "http"]);
}, 120_000);
