import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { toMs } from "../duration.ts";

/** How a run shortens the deadlines of its workflows. */
export type DeadlineChange =
  | { readonly kind: "factor"; readonly factor: number }
  | { readonly kind: "longest"; readonly longestMs: number };

/** What the command line of a run asks for; undefined leaves it to the environment. */
export interface RunOptions {
  /** A file of orders to run to their end. Without it the process serves until it is stopped. */
  readonly orders: string | undefined;
  readonly products: string | undefined;
  readonly json: boolean;
  /** Whether to make up orders while there is no file of them. */
  readonly generate: boolean;
  /** Whether stock, payment, warehouse and carrier run in this process too. */
  readonly services: boolean;
  readonly deadlines: DeadlineChange | undefined;
  readonly store: string | undefined;
  readonly broker: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/** Options to run with, or a text to print before leaving with this exit code: 0 for help, 2 for wrong usage. */
export type ParsedOptions =
  | { readonly kind: "run"; readonly options: RunOptions }
  | { readonly kind: "exit"; readonly code: 0 | 2; readonly text: string };

/** Reads the arguments after the name of the program, such as `process.argv.slice(2)`. */
export function parseOptions(args: readonly string[]): ParsedOptions {
  let text = "";
  const command = describe((chunk) => {
    text += chunk;
  });
  try {
    command.parse(args, { from: "user" });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    return { kind: "exit", code: thrown.exitCode === 0 ? 0 : 2, text };
  }
  return check(command.opts<Raw>());
}

type Raw = { readonly [Name in keyof RunOptions]?: RunOptions[Name] };

function describe(write: (chunk: string) => void): Command {
  return new Command("waybill")
    .description("Runs the order-to-shipment workflow, its services and the HTTP interface.")
    .usage("[options]")
    .option("--orders <file>", "run the orders of this file to their end; one JSON object a line")
    .option("--products <file>", "what the stock service knows; one JSON object a line")
    .option("--json", "print the result as one line of JSON; needs --orders")
    .option("--no-generate", "serve only: make up no orders")
    .option("--no-services", "leave the shop's services to other processes (npm run service)")
    .addOption(
      new Option(
        "--deadlines <change>",
        "shorten the deadlines: a factor such as 0.001, or the longest one allowed such as 20s",
      ).argParser(readDeadlines),
    )
    .option("--store <url>", "where instances are kept, such as sqlite:./waybill.db")
    .option("--broker <url>", "what carries messages, such as embedded:")
    .option("--host <name>", "address to listen on")
    .addOption(new Option("--port <number>", "port to listen on; 0 for any").argParser(readPort))
    .helpOption("-h, --help", "show this")
    .allowExcessArguments(false)
    .configureOutput({ writeOut: write, writeErr: write })
    .showHelpAfterError("Use --help to see every option.")
    .exitOverride();
}

function check(raw: Raw): ParsedOptions {
  const { orders, products, json = false, generate = true, services = true, deadlines } = raw;
  if (json && orders === undefined) {
    return {
      kind: "exit",
      code: 2,
      text: "error: --json prints the result of a file of orders; name one with --orders FILE.\n",
    };
  }
  const { store, broker, host, port } = raw;
  return {
    kind: "run",
    options: {
      orders,
      products,
      json,
      generate: generate && orders === undefined,
      services,
      deadlines,
      store,
      broker,
      host,
      port,
    },
  };
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a whole number from 0 to 65535.");
}

function readDeadlines(text: string): DeadlineChange {
  const factor = Number(text);
  if (text.trim() !== "" && factor > 0 && Number.isFinite(factor))
    return { kind: "factor", factor };
  try {
    const longestMs = toMs(text);
    if (longestMs > 0) return { kind: "longest", longestMs };
  } catch {
    // Said below, in the words of the option.
  }
  throw new InvalidArgumentError(
    "Give a factor above 0 such as 0.001, or a duration above 0 such as 500ms, 20s or 2m.",
  );
}
