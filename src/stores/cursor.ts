import { WaybillError } from "../errors.ts";
import type { Page } from "../store.ts";

/** The sort key of the last item of a page, as opaque text. */
export function encodeCursor(position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/**
 * The sort key in a cursor, or undefined when there is no cursor.
 * @throws WaybillError `invalid-cursor` when its parts are not of the types of `shape`.
 */
export function decodeCursor<Shape extends readonly (string | number)[]>(
  cursor: string | undefined,
  shape: Shape,
): Shape | undefined {
  if (cursor === undefined) return undefined;
  const position = parsed(cursor);
  if (!hasShape(position, shape)) {
    throw new WaybillError({
      code: "invalid-cursor",
      message: `"${cursor}" is not a cursor of this list.`,
      action: "Pass `nextCursor` of the page before as it is, or leave it out to begin anew.",
    });
  }
  return position;
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    return undefined;
  }
}

function hasShape<Shape extends readonly unknown[]>(value: unknown, shape: Shape): value is Shape {
  return (
    Array.isArray(value) &&
    value.length === shape.length &&
    shape.every((part, index) => typeof part === typeof value[index]) &&
    // JSON makes `Infinity` of a number that is too large.
    value.every((part) => typeof part !== "number" || Number.isFinite(part))
  );
}

/** A page of `limit` from the rows that were read, which are one more when another page follows. */
export function pageOf<Item>(
  found: readonly Item[],
  limit: number,
  position: (last: Item) => readonly (string | number)[],
): Page<Item> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  if (last === undefined || found.length <= limit) return { items };
  return { items, nextCursor: encodeCursor(position(last)) };
}
