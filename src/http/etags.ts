import { refusal } from "./problems.ts";

/** The strong entity tag of an instance: its version. */
export function etagOf(instance: { readonly version: number }): string {
  return `"${instance.version}"`;
}

/** True when `If-None-Match` names this tag, compared weakly as RFC 9110 §13.1.2 says. */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(etag);
}

/**
 * The version that `If-Match` asks for; undefined without one, and for `*`.
 * @throws WaybillError `invalid-header` when it is not one strong tag as this interface gives them.
 */
export function versionFrom(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === "*") return undefined;
  const [, digits] = /^"(\d{1,15})"$/.exec(ifMatch.trim()) ?? [];
  if (digits !== undefined) return Number(digits);
  const detail = 'must be one ETag of the instance, such as "5" with its quotation marks';
  throw refusal("invalid-header", `If-Match ${detail}.`, [{ header: "If-Match", detail }]);
}
