import { proveTraces } from "../support/jaeger-proof.ts";
import { traceTable } from "../support/trace-tree.ts";
import { printOrderTree } from "./order-tree.ts";

/** Jaeger takes spans on this port beside the one of its pages, unless `OTEL_EXPORTER_OTLP_ENDPOINT` says where. */
const otlpPort = "4318";

async function main(): Promise<number> {
  if (process.argv.includes("--tree")) {
    return (await printOrderTree((line) => console.log(line))) ? 0 : 1;
  }
  const query = process.env["JAEGER_URL"]?.replace(/\/$/, "");
  if (!query) {
    console.error(
      "JAEGER_URL is not set, so nothing was tested. Start Jaeger (deploy/compose.yaml has one) and name the address" +
        " of its pages: JAEGER_URL=http://localhost:16686 npm run test:jaeger\n" +
        "To see the spans of one order without Jaeger: npm run test:jaeger -- --tree",
    );
    return 1;
  }
  const beside = new URL(query);
  beside.port = otlpPort;
  const otlp = process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? beside.origin;
  const { traces, problems } = await proveTraces({ otlp, query });
  for (const problem of problems) console.error(problem);
  const [largest] = traces.toSorted((left, right) => right.spans.length - left.spans.length);
  if (largest !== undefined) console.log(traceTable(largest, traces).join("\n"));
  console.log(`${traces.length} traces in Jaeger, ${problems.length} problems`);
  return problems.length === 0 ? 0 : 1;
}

process.exitCode = await main();
