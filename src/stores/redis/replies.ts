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
 * An instance from its bytes, as `commit.lua` writes them: version, time of creation, time of the last write and the
 * length in bytes of terms, inbox and history; then these, then the record.
 */
export function instanceIn(key: string, bytes: unknown): StoredInstance | undefined {
  if (bytes === null) return undefined;
  if (!Buffer.isBuffer(bytes)) throw unexpectedReply("load", bytes);
  const end = bytes.indexOf(lineEnd);
  // A part that lies under a key of its own is marked by `+`.
  const words = bytes.toString("latin1", 0, Math.max(0, end)).replaceAll("+", "0").split(" ");
  const [version = 0, createdAt = 0, updatedAt = 0, ...parts] = words.map(Number);
  if (parts.length !== 3 || words.some((word) => !/^\d+$/.test(word))) {
    throw unexpectedReply("load", key);
  }
  const start = parts.reduce((sum, length) => sum + length, end + 1);
  return { key, version, record: bytes.toString("utf8", start), createdAt, updatedAt };
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
