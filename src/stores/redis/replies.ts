import type { StoredInstance } from "../../commit.ts";
import { WaybillError } from "../../errors.ts";

/** The texts of a reply that is a flat list. */
export function textsIn(reply: unknown, what: string): readonly string[] {
  if (Array.isArray(reply)) return reply.map(String);
  throw unexpectedReply(what, reply);
}

/** Groups of `width` texts of a flat list. */
export function rowsIn(flat: readonly string[], width: number): readonly (readonly string[])[] {
  return Array.from({ length: flat.length / width }, (_, row) =>
    flat.slice(row * width, (row + 1) * width),
  );
}

const lineEnd = 0x0a;

/**
 * An instance from its bytes: version, time of creation, time of the last write and the length of its terms in
 * bytes, separated by spaces and ended by a line feed; then the terms, then the record.
 */
export function instanceIn(key: string, bytes: unknown): StoredInstance | undefined {
  if (bytes === null) return undefined;
  if (!Buffer.isBuffer(bytes)) throw unexpectedReply("load", bytes);
  const end = bytes.indexOf(lineEnd);
  const head = bytes.toString("latin1", 0, Math.max(0, end)).split(" ").map(Number);
  const [version, createdAt, updatedAt, termsBytes] = head;
  if (termsBytes === undefined || head.some(Number.isNaN)) throw unexpectedReply("load", key);
  const record = bytes.toString("utf8", end + 1 + termsBytes);
  return {
    key,
    version: version ?? 0,
    record,
    createdAt: createdAt ?? 0,
    updatedAt: updatedAt ?? 0,
  };
}

/** The error of data that this store did not write. */
export function unexpectedReply(what: string, reply: unknown): WaybillError {
  const shown = JSON.stringify(reply).slice(0, 100);
  return new WaybillError({
    code: "store-unreadable",
    message: `Redis holds something that was not written by this store (${what}: ${shown}).`,
    action: "Give the application a prefix of its own, or restore the data.",
  });
}
