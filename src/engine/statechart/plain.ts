import { toErrorRecord, WaybillError } from "../../errors.ts";

/**
 * The value as JSON will give it back, frozen, so that an actor kept in memory and one read from the store
 * cannot differ, and nobody changes a value that an older version still holds. What is frozen and plain
 * already comes back as it is. References to actors become `{ xstate$$type: 1, id }`, as in XState itself.
 * `name` says what it is when it is refused.
 * @throws WaybillError `not-plain` for what JSON would lose: maps, sets, regular expressions, bigints, cycles.
 */
export function plain(value: unknown, name: string): unknown {
  try {
    return toPlain(value, 0);
  } catch (error) {
    throw error instanceof Loss ? notPlain(placeOfLoss(value, name), error.message) : error;
  }
}

/** Freezes a value that has just come out of `JSON.parse` and belongs to nobody else. */
export function freezeParsed<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const key in value) freezeParsed(value[key]);
  return value;
}

/** Something that JSON would lose; the message says what. */
class Loss extends Error {}

// Deeper than any sensible context: what goes on longer is a cycle.
const deepest = 200;

function toPlain(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      // JSON has no minus zero.
      return Number.isFinite(value) ? value + 0 : null;
    case "bigint":
      throw new Loss("a bigint");
    case "object":
      return value === null ? null : objectToPlain(value, depth);
    case "undefined":
    case "function":
    case "symbol":
    default:
      return undefined;
  }
}

function objectToPlain(value: object, depth: number): unknown {
  if (depth > deepest) throw new Loss("a cycle, or values nested too deeply");
  if (Array.isArray(value)) return arrayToPlain(value, depth);
  if ("toJSON" in value && typeof value.toJSON === "function" && !isActorReference(value)) {
    return toPlain(value.toJSON(), depth + 1);
  }
  const isRecord = Object.getPrototypeOf(value) === Object.prototype;
  return isRecord ? recordToPlain(value, depth) : instanceToPlain(value, depth);
}

function instanceToPlain(value: object, depth: number): unknown {
  if (value instanceof Map || value instanceof Set || value instanceof RegExp) {
    throw new Loss(`a ${value.constructor.name}`);
  }
  if (isActorReference(value)) return Object.freeze({ xstate$$type: 1, id: value.id });
  if (value instanceof Error) return recordToPlain(toErrorRecord(value), depth);
  return recordToPlain({ ...value }, depth);
}

function arrayToPlain(items: readonly unknown[], depth: number): readonly unknown[] {
  let same = Object.isFrozen(items);
  // Not `map`, which leaves the holes of a sparse array.
  const copy = Array.from(items, (item) => {
    const next = toPlain(item, depth + 1) ?? null;
    if (next !== item) same = false;
    return next;
  });
  return same ? items : Object.freeze(copy);
}

function recordToPlain(record: object, depth: number): object {
  const source = record as Readonly<Record<string, unknown>>;
  const copy: Record<string, unknown> = {};
  let same = Object.isFrozen(record);
  for (const key of Object.keys(record)) {
    if (key === "__proto__") throw new Loss('an object with the key "__proto__"');
    const item = source[key];
    const next = typeof item === "string" ? item : toPlain(item, depth + 1);
    if (next !== item || next === undefined) same = false;
    if (next !== undefined) copy[key] = next;
  }
  return same ? record : Object.freeze(copy);
}

function isActorReference(value: object): value is { readonly id: string } {
  return "sessionId" in value && "send" in value && "ref" in value && "id" in value;
}

/** Found only when it is needed: keeping the path at every step would cost more than the copy. */
function placeOfLoss(value: unknown, path: string): string {
  if (typeof value !== "object" || value === null || path.length > 500) return path;
  const place = Object.entries(value).find(([, item]) => isLost(item));
  return place === undefined ? path : placeOfLoss(place[1], `${path}.${place[0]}`);
}

function isLost(value: unknown): boolean {
  try {
    toPlain(value, 0);
    return false;
  } catch {
    return true;
  }
}

function notPlain(path: string, what: string): WaybillError {
  return new WaybillError({
    code: "not-plain",
    message: `${path} holds ${what}, which JSON would lose.`,
    action: "Keep plain objects, arrays, strings, finite numbers, booleans and null.",
  });
}
