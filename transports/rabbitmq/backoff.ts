import type { Ids } from "../../src/ids.ts";

/** A pause that doubles with each failure, of which between half and all is waited: not all processes come at once. */
export function backoffMs(
  failures: number,
  options: { readonly firstMs: number; readonly lastMs: number; readonly ids: Ids },
): number {
  const { firstMs, lastMs, ids } = options;
  const fullMs = Math.min(lastMs, firstMs * 2 ** Math.min(failures, 30));
  return Math.round(fullMs * (0.5 + 0.5 * chance(ids)));
}

/** From 0 up to 1: the last 48 bits of an id are random, or as repeatable as the ids are. */
function chance(ids: Ids): number {
  return Number.parseInt(ids.next().slice(-12), 16) / 2 ** 48;
}
