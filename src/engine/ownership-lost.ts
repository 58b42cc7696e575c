import { WaybillError } from "../errors.ts";

/** The error of a partition that this process may no longer write. */
export function ownershipLost(why: string): WaybillError {
  return new WaybillError({
    code: "ownership-lost",
    message: `The partition is no longer this process's: ${why}.`,
    action: "Nothing has to be done: its owner goes on, or this process claims it again.",
    retryable: true,
  });
}
