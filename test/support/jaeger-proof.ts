import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import { generatedOrder } from "../../machines/order-to-shipment/generate.ts";
import { type JaegerTrace, linksOf, parentOf, problemsOf, tagOf } from "./jaeger-traces.ts";
import { openTracedShop, placeOrder } from "./traced-shop.ts";

/** What was found of the traces of a few orders. */
export interface Proof {
  readonly traces: readonly JaegerTrace[];
  /** What is wrong with them; none when all is well. */
  readonly problems: readonly string[];
}

const laterMs = 120_000;

/**
 * Lets orders run in a shop that exports over OTLP, two minutes pass, and one of them be cancelled and another be sent
 * what it does not take; then asks the query API for all traces of these orders, and examines them.
 */
export async function proveTraces(urls: { readonly otlp: string; readonly query: string }) {
  const exporter = new OTLPTraceExporter({ url: `${urls.otlp}/v1/traces` });
  const shop = await openTracedShop(new BatchSpanProcessor({ exporter }));
  const run = `proof-${process.pid}-${process.hrtime.bigint()}`;
  const orders = Array.from({ length: 20 }, (_, index) => ({
    ...generatedOrder(3, index),
    orderId: `${run}-${index}`,
  }));
  const delivered = orders.filter(({ shippedDate }) => shippedDate !== null);
  const waiting = { ...delivered[0], orderId: `${run}-w`, shippedDate: null };
  await Promise.all(delivered.map((order) => placeOrder(shop, order)));
  await placeOrder(shop, waiting, "state:shipping");
  shop.skip(laterMs);
  const { client } = shop.engine;
  const at = { workflow: "order-to-shipment", id: waiting.orderId };
  await client.sendAsync({ ...at, type: "order.unheard", payload: {} });
  await client.send({ ...at, type: "order.cancel", payload: { reason: "late" } });
  await shop.close();
  const ids = [...delivered, waiting].map(({ orderId }) => orderId);
  return examine(await tracesOf(urls.query, ids), waiting.orderId);
}

async function tracesOf(query: string, ids: readonly string[]): Promise<readonly JaegerTrace[]> {
  const found = new Map<string, JaegerTrace>();
  for (const id of ids) {
    const tags = encodeURIComponent(JSON.stringify({ "workflow.instance.id": id }));
    await collect(found, `${query}/api/traces?service=shop&limit=100&tags=${tags}`);
  }
  // What is linked lies in other traces, such as those of batches.
  for (const trace of found.values()) {
    for (const { traceID } of trace.spans.flatMap(linksOf)) {
      if (!found.has(traceID)) await collect(found, `${query}/api/traces/${traceID}`);
    }
  }
  return [...found.values()];
}

async function collect(found: Map<string, JaegerTrace>, url: string): Promise<void> {
  const response = await fetch(url);
  const { data } = (await response.json()) as { readonly data: readonly JaegerTrace[] | null };
  for (const trace of data ?? []) found.set(trace.traceID, trace);
}

function examine(traces: readonly JaegerTrace[], late: string): Proof {
  const spans = traces.flatMap((trace) => trace.spans);
  const ofLate = spans.filter((span) => tagOf(span, "workflow.instance.id") === late);
  const refused = ofLate.filter((span) => tagOf(span, "error") === true);
  const cancelled = ofLate.find((span) => span.operationName === "process order.cancel");
  const previous = cancelled && tagOf(cancelled, "workflow.previous_trace_id");
  const isLinked = cancelled && linksOf(cancelled).some(({ traceID }) => traceID === previous);
  const longest = Math.max(...traces.map((trace) => trace.spans.length));
  const problems = [...problemsOf(traces)];
  if (spans.length < 100) problems.push(`only ${spans.length} spans arrived`);
  if (refused.length === 0) problems.push("the event that was refused does not show as an error");
  if (!isLinked) problems.push("what came two minutes later is not linked to the trace before");
  if (cancelled?.traceID === previous) problems.push("the trace went on after two minutes");
  if (cancelled && parentOf(cancelled) === undefined) problems.push("the sender is not the cause");
  if (longest > 300) problems.push(`a trace has ${longest} spans`);
  return { traces, problems };
}
