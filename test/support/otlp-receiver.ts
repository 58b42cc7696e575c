import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import type { JaegerSpan, JaegerTrace } from "./jaeger-traces.ts";

/** Takes OTLP over HTTP as JSON, and answers as Jaeger's query API does. */
export interface OtlpReceiver {
  readonly url: string;
  close(): Promise<void>;
}

interface OtlpValue {
  readonly stringValue?: string;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: OtlpValue;
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly OtlpAttribute[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource?: { readonly attributes?: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

const kinds = ["internal", "internal", "server", "client", "producer", "consumer"];
const errorStatus = 2;

/** Listens on a free port of the loopback interface. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: (JaegerSpan & { readonly service: string })[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://receiver");
    if (request.method === "POST" && url.pathname === "/v1/traces") {
      void bodyOf(request).then((body) => {
        spans.push(...read(body));
        answer(response, {});
      });
      return;
    }
    answer(response, { data: query(spans, url) });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<OtlpRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const isPacked = request.headers["content-encoding"] === "gzip";
  return JSON.parse((isPacked ? gunzipSync(body) : body).toString()) as OtlpRequest;
}

function answer(response: ServerResponse, body: object): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
}

function read({ resourceSpans }: OtlpRequest): readonly (JaegerSpan & { service: string })[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const name = resource?.attributes?.find(({ key }) => key === "service.name");
    const service = name?.value.stringValue ?? "unknown";
    return scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({ ...asJaeger(span), service })),
    );
  });
}

/** As Jaeger maps them: the parent and the links are references, kind and status are tags. */
function asJaeger(span: OtlpSpan): JaegerSpan {
  const { traceId: traceID, spanId: spanID, parentSpanId, links = [], status } = span;
  const startTime = microseconds(span.startTimeUnixNano);
  const parent = parentSpanId
    ? [{ refType: "CHILD_OF" as const, traceID, spanID: parentSpanId }]
    : [];
  const follows = links.map((link) => ({
    refType: "FOLLOWS_FROM" as const,
    traceID: link.traceId,
    spanID: link.spanId,
  }));
  const failed = [
    { key: "error", value: true },
    { key: "otel.status_code", value: "ERROR" },
    { key: "otel.status_description", value: status?.message ?? "" },
  ];
  return {
    traceID,
    spanID,
    operationName: span.name,
    references: [...parent, ...follows],
    startTime,
    duration: microseconds(span.endTimeUnixNano) - startTime,
    tags: [
      ...(span.attributes ?? []).map(({ key, value }) => ({ key, value: plain(value) })),
      { key: "span.kind", value: kinds[span.kind] },
      ...(status?.code === errorStatus ? failed : []),
    ],
  };
}

function microseconds(nanoseconds: string): number {
  return Number(BigInt(nanoseconds) / 1_000n);
}

function plain({ stringValue, intValue, doubleValue, boolValue }: OtlpValue) {
  if (intValue !== undefined) return Number(intValue);
  return stringValue ?? doubleValue ?? boolValue;
}

function query(
  spans: readonly (JaegerSpan & { readonly service: string })[],
  { pathname, searchParams }: URL,
): unknown {
  if (pathname === "/api/services") return [...new Set(spans.map(({ service }) => service))];
  const traces = [...Map.groupBy(spans, ({ traceID }) => traceID)].map(
    ([traceID, members]): JaegerTrace => ({
      traceID,
      spans: members.map((span) => ({ ...span, processID: span.service })),
      processes: Object.fromEntries(
        members.map(({ service }) => [service, { serviceName: service }]),
      ),
    }),
  );
  const [, id] = /^\/api\/traces\/(\w+)$/.exec(pathname) ?? [];
  if (id !== undefined) return traces.filter(({ traceID }) => traceID === id);
  const tags = Object.entries(
    JSON.parse(searchParams.get("tags") ?? "{}") as Readonly<Record<string, string>>,
  );
  const matches = (span: JaegerSpan) =>
    tags.every(([key, value]) => span.tags.some((tag) => tag.key === key && tag.value === value));
  return traces.filter((trace) => trace.spans.some(matches));
}
