import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { generatedOrder } from "../../machines/order-to-shipment/generate.ts";
import { ProcessLab } from "../servers/processes/lab.ts";
import { Child } from "../support/child-process.ts";
import { type JaegerTrace, linksOf, problemsOf, tagOf } from "../support/jaeger-traces.ts";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";
import { traceTable } from "../support/trace-tree.ts";

const main = fileURLToPath(import.meta.resolve("../../src/main.ts"));
const path = "/workflows/order-to-shipment/instances";
const readyMs = 30_000;

/**
 * Lets one order run through a process that only answers requests, one with the engine and the shop's services, a
 * private RabbitMQ and a private Redis; prints its spans as they arrived over OTLP. True when nothing is wrong with them.
 */
export async function printOrderTree(print: (line: string) => void): Promise<boolean> {
  const [lab, receiver] = await Promise.all([ProcessLab.open(), startOtlpReceiver()]);
  try {
    const told = { ...lab.settings, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
    const engine = new Child({
      args: [main, "--no-generate"],
      env: { ...told, OTEL_SERVICE_NAME: "engine" },
    });
    const door = new Child({
      args: [main, "--no-generate", "--no-services"],
      env: { ...told, OTEL_SERVICE_NAME: "http", WAYBILL_ROLES: "http" },
    });
    const [engineUrl, url] = await Promise.all([addressOf(engine), addressOf(door)]);
    await Promise.all([ready(engineUrl), ready(url)]);
    const order = { ...generatedOrder(3, 0), shippedDate: "2026-01-05" };
    const answer = await fetch(`${url}${path}/${order.orderId}?until=done`, {
      method: "PUT",
      headers: { "content-type": "application/json", prefer: "wait=20" },
      body: JSON.stringify(order),
    });
    const { state, traces: named } = (await answer.json()) as { state: unknown; traces: string[] };
    // What is not sent yet goes out at the stop.
    await Promise.all([engine.end("SIGTERM"), door.end("SIGTERM")]);
    const { data } = (await (await fetch(`${receiver.url}/api/traces`)).json()) as {
      readonly data: readonly JaegerTrace[];
    };
    print(
      `Order ${order.orderId} ended ${String(state)}; its instance names the trace ${named[0]}.`,
    );
    return printed(data, named[0], print);
  } finally {
    await Promise.all([lab.close(), receiver.close()]);
  }
}

/** The trace of the order, and then those that it is linked with. */
function printed(
  traces: readonly JaegerTrace[],
  named: string | undefined,
  print: (line: string) => void,
): boolean {
  const whole = traces.find(({ traceID }) => traceID === named);
  const linked = new Set(whole?.spans.flatMap(linksOf).map(({ traceID }) => traceID));
  const shown = [whole, ...traces.filter(({ traceID }) => linked.has(traceID))];
  for (const trace of shown) {
    if (trace === undefined) continue;
    const many = `${trace.spans.length} ${trace.spans.length === 1 ? "span" : "spans"}`;
    print(`\ntrace ${trace.traceID}, ${many}`);
    for (const line of traceTable(trace, traces)) print(line);
  }
  const problems = problemsOf(traces);
  for (const problem of problems) print(`! ${problem}`);
  const isWhole = whole?.spans.some((span) => tagOf(span, "workflow.state.to") === "delivered");
  if (isWhole !== true) print("! the trace does not lead to the delivery");
  return problems.length === 0 && isWhole === true;
}

async function addressOf(child: Child): Promise<string> {
  const [, url = ""] = await child.says(/listens on (http:\S+)/);
  return url;
}

async function ready(url: string): Promise<void> {
  const endsAt = performance.now() + readyMs;
  while (!(await fetch(`${url}/readyz`)).ok) {
    if (performance.now() > endsAt) throw new Error(`${url} is not ready after ${readyMs} ms`);
    await sleep(50);
  }
}
