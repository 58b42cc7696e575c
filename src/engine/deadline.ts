import type { Clock } from "../clock.ts";
import { WaybillError } from "../errors.ts";

/**
 * Settles like `work`, or rejects once `limitMs` have passed; the work itself goes on and may still happen.
 * @throws WaybillError `deadline`
 */
export function within<T>(
  clock: Clock,
  limitMs: number,
  work: Promise<T>,
  what: string,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, () => {
      reject(
        new WaybillError({
          code: "deadline",
          message: `${what} did not answer within ${limitMs} ms.`,
          action: "Look whether it is reachable and not overloaded; the call is safe to repeat.",
          retryable: true,
        }),
      );
    });
    work.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}
