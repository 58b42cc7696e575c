import { WaybillError } from "./errors.ts";

/** Milliseconds, or a number with a unit: `"250ms"`, `"30s"`, `"15m"`, `"24h"`, `"7d"`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const pattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/**
 * The milliseconds that a duration stands for.
 * @throws WaybillError `invalid-duration` when it is negative, not finite or not understood.
 */
export function toMs(duration: number | string): number {
  if (typeof duration === "number") {
    if (Number.isFinite(duration) && duration >= 0) return duration;
    throw notUnderstood(duration);
  }
  const [, amount, unit] = pattern.exec(duration) ?? [];
  const ms = Number(amount) * unitMs[unit as keyof typeof unitMs];
  if (Number.isFinite(ms)) return ms;
  throw notUnderstood(duration);
}

function notUnderstood(duration: unknown): WaybillError {
  return new WaybillError({
    code: "invalid-duration",
    message: `"${String(duration)}" is not a duration.`,
    action: 'Give milliseconds as a number, or a number with ms, s, m, h or d, such as "15m".',
  });
}
