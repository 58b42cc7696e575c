import type { Context } from "hono";
import { readJsonText } from "../json-text.ts";
import { refusal } from "./problems.ts";

/** The most bytes that a request's body may have, unless told otherwise: 256 KiB. */
export const defaultBodyLimitBytes = 256 * 1024;

const jsonType = /^application\/([\w.-]+\+)?json\s*(;|$)/i;

/**
 * Reads the body as one JSON value; an empty body counts as `{}`. The content type has to say JSON even
 * then: a browser asks before it sends that to another site, so a foreign page cannot change anything.
 * @throws WaybillError `unsupported-media-type`, `too-large`, `malformed-json`, or `invalid-payload`
 * for JSON that nothing here could keep.
 */
export async function readJson(c: Context, limitBytes: number): Promise<unknown> {
  const contentType = c.req.header("content-type");
  if (!jsonType.test(contentType ?? "")) {
    const found = contentType === undefined ? "no content type" : `"${contentType}"`;
    throw refusal("unsupported-media-type", `The request has ${found}, not application/json.`);
  }
  const bytes = await readBytes(c.req.raw, limitBytes);
  if (bytes.byteLength === 0) return {};
  return parsed(bytes);
}

function parsed(bytes: Uint8Array): unknown {
  const read = readJsonText(textOf(bytes));
  if ("value" in read) return read.value;
  const { fault, detail } = read;
  if (fault === "malformed") throw malformed(detail);
  throw refusal("invalid-payload", `The body ${detail}.`, [{ pointer: "", detail }]);
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed("is not UTF-8");
  }
}

function malformed(detail: string): Error {
  return refusal("malformed-json", "The body is not JSON.", [{ pointer: "", detail }]);
}

/**
 * The body as an object.
 * @throws WaybillError `invalid-payload` when it is another JSON value.
 */
export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value;
  throw refusal("invalid-payload", "The body must be a JSON object.", [
    { pointer: "", detail: "must be an object" },
  ]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function readBytes(request: Request, limitBytes: number): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > limitBytes) throw tooLarge(limitBytes);
  // The server reads no further than a declared length, so only a body without one needs counting.
  if (declared !== null || request.body === null)
    return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(limitBytes: number): Error {
  return refusal("too-large", `The body has more than ${limitBytes} bytes.`);
}
