/** How many events each file plays, and from where its chance starts; both can be set from outside. */
export const eventBudget = Number(process.env["WAYBILL_FUZZ_EVENTS"] ?? 60_000);
export const firstSeed = Number(process.env["WAYBILL_FUZZ_SEED"] ?? 20_261_122);

/** How often a property is tried; all of them together can be tried more often from outside. */
export function runs(standard: number): number {
  return Math.ceil(standard * Number(process.env["WAYBILL_FUZZ_FACTOR"] ?? 1));
}
