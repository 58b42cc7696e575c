import type { StandardSchemaV1 } from "@standard-schema/spec";
import { WaybillError } from "./errors.ts";

/** A validator of any library that follows Standard Schema version 1 (zod, valibot, arktype …). */
export type Schema = StandardSchemaV1;

/** What is wrong, and where: a JSON pointer (RFC 6901), empty for the whole value. */
export interface ValidationProblem {
  readonly pointer: string;
  readonly detail: string;
}

export type Validation =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly ValidationProblem[] };

/**
 * Checks a value; the valid one comes back as the schema leaves it, with its defaults filled in.
 * Without a schema everything is valid.
 * @throws WaybillError `async-schema` when the schema can only validate asynchronously.
 */
export function validate(schema: Schema | undefined, value: unknown): Validation {
  if (schema === undefined) return { ok: true, value };
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new WaybillError({
      code: "async-schema",
      message: `A schema of "${schema["~standard"].vendor}" validates asynchronously.`,
      action:
        "Use schemas without asynchronous refinements; look things up in an activity instead.",
    });
  }
  if (result.issues === undefined) return { ok: true, value: result.value };
  const problems = result.issues.map(({ message, path }) => ({
    pointer: toPointer(path ?? []),
    detail: message,
  }));
  return { ok: false, problems };
}

/** True for anything that follows Standard Schema version 1. */
export function isSchema(value: unknown): value is Schema {
  const isObject = typeof value === "object" ? value !== null : typeof value === "function";
  return isObject && "~standard" in (value as object);
}

function toPointer(path: readonly (PropertyKey | StandardSchemaV1.PathSegment)[]): string {
  return path
    .map((part) => (typeof part === "object" ? part.key : part))
    .map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
}
