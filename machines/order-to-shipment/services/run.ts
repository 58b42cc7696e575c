import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { generatedProducts } from "../generate.ts";
import { type Product, productSchema } from "../order.ts";
import { runService } from "./amqp-host.ts";
import { shopServices } from "./shop.ts";

const usage = `Usage: node run.ts stock|payment|warehouse|carrier --broker URL [--prefix NAME] [--products FILE]
  --broker    amqp(s)://user:password@host:port/vhost; else the environment's SERVICE_BROKER
  --prefix    first part of every queue's name, as the engine has it: waybill unless given
  --products  what the stock service knows; one JSON object a line
`;
/** What is under way by then stays in the queue, for the next start. */
const stopWithinMs = 10_000;

/** Runs one of the shop's services until SIGTERM or Ctrl-C. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      broker: { type: "string" },
      prefix: { type: "string", default: "waybill" },
      products: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const url = values.broker ?? process.env["SERVICE_BROKER"];
  const products = values.products === undefined ? generatedProducts : await read(values.products);
  const service = shopServices(products).find(({ name }) => name === positionals[0]);
  if (service === undefined || url === undefined || positionals.length !== 1) {
    process.stderr.write(usage);
    return 2;
  }
  const say = (line: string) => process.stderr.write(`${service.name}: ${line}\n`);
  await runService({ url, prefix: values.prefix, service, signal: stopSignal(), say });
  return 0;
}

async function read(path: string): Promise<readonly Product[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => productSchema.parse(JSON.parse(line)));
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    controller.abort();
    setTimeout(() => process.exit(1), stopWithinMs).unref();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  return controller.signal;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  return 2;
});
