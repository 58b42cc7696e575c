import { WaybillError } from "../errors.ts";

/** The error of a process that would cut the data into another number of partitions than it was made with. */
export function partitionCountError(stored: number, wanted: number): WaybillError {
  return new WaybillError({
    code: "partition-count",
    message: `The data was made with ${stored} partitions, not ${wanted}.`,
    action: `Set WAYBILL_PARTITIONS to ${stored}, or give this process a store of its own.`,
    details: { stored, wanted },
  });
}
