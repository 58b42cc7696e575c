import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { WaybillError } from "../../src/index.ts";
import { type Order, orderSchema, type Product, productSchema } from "./order.ts";

const problemLimit = 10;

/** The orders of a file. @throws WaybillError `unreadable-file`, or as `parseOrders`. */
export async function readOrders(path: string): Promise<readonly Order[]> {
  return parseOrders(await readText(path), path);
}

/** The products of a file. @throws WaybillError `unreadable-file`, or as `parseOrders`. */
export async function readProducts(path: string): Promise<readonly Product[]> {
  return parseProducts(await readText(path), path);
}

/**
 * The orders of a text, one JSON object a line; empty lines do not count, and an order that stands there twice
 * in the same words counts once.
 * @throws WaybillError `invalid-file` whose `problems` name the first ten lines that are no JSON, no order, or
 * another order under an id used before; `path` is for these messages only.
 */
export function parseOrders(text: string, path: string): readonly Order[] {
  return parseLines(text, path, orderSchema, (order) => order.orderId);
}

/** The products of a text in the same form. @throws WaybillError as `parseOrders`. */
export function parseProducts(text: string, path: string): readonly Product[] {
  return parseLines(text, path, productSchema, (product) => String(product.productId));
}

function parseLines<Value>(
  text: string,
  path: string,
  schema: z.ZodType<Value>,
  idOf: (value: Value) => string,
): readonly Value[] {
  const problems: string[] = [];
  const first = new Map<string, { readonly line: number; readonly value: Value }>();
  for (const [index, content] of text.split("\n").entries()) {
    if (content.trim() === "") continue;
    const line = index + 1;
    const read = parseLine(content, schema);
    if ("problem" in read) {
      problems.push(`line ${line}: ${read.problem}`);
      continue;
    }
    const id = idOf(read.value);
    const before = first.get(id);
    if (before === undefined) first.set(id, { line, value: read.value });
    else if (JSON.stringify(before.value) !== JSON.stringify(read.value)) {
      problems.push(`line ${line}: ${id} is not the same as on line ${before.line}.`);
    }
  }
  if (problems.length > 0) throw invalidFile(path, problems);
  return [...first.values()].map(({ value }) => value);
}

function parseLine<Value>(
  content: string,
  schema: z.ZodType<Value>,
): { readonly problem: string } | { readonly value: Value } {
  const parsed = parse(content);
  if (parsed === undefined) return { problem: "not JSON." };
  const checked = schema.safeParse(parsed.value);
  if (checked.success) return { value: checked.data };
  const details = checked.error.issues.map(({ path, message }) => `${pointerOf(path)}: ${message}`);
  return { problem: `${details.join("; ")}.` };
}

/** RFC 6901. */
function pointerOf(path: readonly PropertyKey[]): string {
  const parts = path.map((key) => String(key).replaceAll("~", "~0").replaceAll("/", "~1"));
  return `/${parts.join("/")}`;
}

function parse(line: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(line) };
  } catch {
    return undefined;
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new WaybillError({
      code: "unreadable-file",
      message: `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      action: "Give the path of a readable file with one JSON object a line.",
      cause,
    });
  }
}

function invalidFile(path: string, problems: readonly string[]): WaybillError {
  const more = problems.length - problemLimit;
  const shown = [
    ...problems.slice(0, problemLimit),
    ...(more > 0 ? [`and ${more} more lines.`] : []),
  ];
  return new WaybillError({
    code: "invalid-file",
    message: `${path} has ${problems.length} line${problems.length === 1 ? "" : "s"} that cannot be used:\n- ${shown.join("\n- ")}`,
    action: "Correct these lines; nothing was started.",
    problems: shown,
  });
}
