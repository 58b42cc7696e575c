import { generatedProducts } from "../machines/order-to-shipment/generate.ts";
import type { Order } from "../machines/order-to-shipment/order.ts";
import { readOrders, readProducts } from "../machines/order-to-shipment/order-file.ts";
import { generateOrders, runFile } from "./cli/jobs.ts";
import { parseOptions, type RunOptions } from "./cli/options.ts";
import { isComplete, reportJson, reportTable } from "./cli/report.ts";
import { configurationOf, deadlinesOf, openShop, type Shop } from "./cli/shop.ts";
import { openTelemetry, type Telemetry } from "./cli/telemetry.ts";
import type { Configuration } from "./configuration.ts";
import { WaybillError } from "./errors.ts";
import type { Listening } from "./http/listen.ts";

const exitCodes = { ok: 0, unfinished: 1, usage: 2 } as const;
/** A stop that takes longer than this is cut short: what is lost then is taken up at the next start. */
const stopWithinMs = 10_000;
const aliveMs = 60_000;

/** One process with everything in it: engine, services, HTTP, and either orders of a file or made-up ones. */
async function main(): Promise<number> {
  const parsed = parseOptions(process.argv.slice(2));
  if (parsed.kind === "exit") {
    (parsed.code === 0 ? process.stdout : process.stderr).write(parsed.text);
    return parsed.code;
  }
  const { options } = parsed;
  const orders = options.orders === undefined ? undefined : await readOrders(options.orders);
  const configuration = configurationOf(options, process.env);
  const telemetry = await openTelemetry(process.env, configuration, say);
  const shop = await startShop({ options, configuration, telemetry });
  // Neither a signal nor a broker that is away keeps a process alive.
  const alive = setInterval(() => undefined, aliveMs);
  let server: Listening | undefined;
  try {
    // Who asks whether it is ready gets an answer even while broker or store are away.
    server = await serve(shop, telemetry);
    return await work({ shop, signal: stopSignal() }, options, orders);
  } finally {
    shop.opened.catch(() => undefined);
    await server?.close();
    await shop.stop();
    await telemetry.close();
    clearInterval(alive);
    say("Stopped; the next start goes on from here.");
  }
}

async function work(
  job: { readonly shop: Shop; readonly signal: AbortSignal },
  options: RunOptions,
  orders: readonly Order[] | undefined,
): Promise<number> {
  const { shop, signal } = job;
  await Promise.race([shop.opened, aborted(signal)]);
  if (signal.aborted) return exitCodes.ok;
  if (orders !== undefined) return report(await runFile(job, orders), options);
  if (options.generate && runsEngine(shop)) await generateOrders(job);
  else await aborted(signal);
  return exitCodes.ok;
}

/** Made-up orders and the services go with the engine; a process with another role has only that. */
function runsEngine({ configuration }: Pick<Shop, "configuration">): boolean {
  return configuration.roles.includes("engine");
}

async function startShop(wish: {
  readonly options: RunOptions;
  readonly configuration: Configuration;
  readonly telemetry: Telemetry;
}): Promise<Shop> {
  const { options, configuration, telemetry } = wish;
  const products =
    options.products === undefined ? generatedProducts : await readProducts(options.products);
  return openShop({
    configuration,
    deadlines: deadlinesOf(options.deadlines),
    services: options.services && runsEngine({ configuration }) ? { products } : "none",
    observer: telemetry.observer,
    tracer: telemetry.tracer,
    trouble: say,
  });
}

async function serve(
  { engine, configuration }: Shop,
  telemetry: Telemetry,
): Promise<Listening | undefined> {
  const { host, port, roles } = configuration;
  if (!roles.includes("http")) return undefined;
  const [{ listen }, { waybillRoutes }] = await Promise.all([
    import("./http/listen.ts"),
    import("./http/routes.ts"),
  ]);
  const { client } = engine;
  const metrics = () => telemetry.metrics(client);
  const routes = waybillRoutes(client, { tracer: telemetry.tracer, metrics });
  const server = await listen(routes, { host, port });
  say(`Waybill listens on ${server.url} (docs at ${server.url}/docs).`);
  return server;
}

function report(result: Parameters<typeof reportTable>[0], options: RunOptions): number {
  process.stdout.write(options.json ? `${reportJson(result)}\n` : reportTable(result));
  return isComplete(result) ? exitCodes.ok : exitCodes.unfinished;
}

/** Aborted by the first Ctrl-C or SIGTERM; the second one ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(exitCodes.unfinished);
    controller.abort();
    const late = setTimeout(() => process.exit(exitCodes.unfinished), stopWithinMs);
    late.unref();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Talk goes to stderr: stdout is for results. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

process.exitCode = await main().catch((error: unknown) => {
  if (!(error instanceof WaybillError)) throw error;
  say(`${error.message}\n${error.action}`);
  return exitCodes.usage;
});
