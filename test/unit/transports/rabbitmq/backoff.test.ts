import { expect, test } from "vitest";
import { systemIds } from "../../../../src/ids.ts";
import { backoffMs } from "../../../../transports/rabbitmq/backoff.ts";
import { defaultLimits } from "../../../../transports/rabbitmq/options.ts";

const limits = { firstMs: 100, lastMs: 10_000, ids: systemIds };

test("pauses double with each failure, spread over their upper half, up to a last one", () => {
  for (const [failures, fullMs] of [
    [0, 100],
    [3, 800],
    [7, 10_000],
    [5_000, 10_000],
  ] as const) {
    const pauses = Array.from({ length: 200 }, () => backoffMs(failures, limits));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(fullMs / 2);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(fullMs);
    expect(new Set(pauses).size).toBeGreaterThan(20);
  }
});

test("a broker that is back is found within two seconds, however long it was away", () => {
  const { firstRetryMs: firstMs, lastRetryMs: lastMs } = defaultLimits;
  const pauses = [10, 100, 5_000].map((failures) =>
    backoffMs(failures, { firstMs, lastMs, ids: systemIds }),
  );
  expect(Math.max(...pauses)).toBeLessThanOrEqual(2_000);
});
