import type { Reporter, TestCase, TestModule } from "vitest/node";
import { remaining, serversOf } from "./run-processes.ts";
import { runFolder } from "./test-run.ts";

/** Ends a run with the one plain line that every CI can read, and with what nobody may overlook before it. */
class PlainReporter implements Reporter {
  readonly #endsWithinMs: number;

  /** Brokers have so long to end in good order, on a busy machine too. */
  constructor({ endsWithinMs = 30_000 }: { readonly endsWithinMs?: number } = {}) {
    this.#endsWithinMs = endsWithinMs;
  }

  async onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): Promise<void> {
    const count = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      // A file that could not be loaded has no tests to count, yet it is a failure.
      count.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        count[test.result().state] += 1;
        if (test.diagnostic()?.flaky) console.log(secondAttempt(test));
      }
    }
    count.failed += await leftBehind(this.#endsWithinMs);
    const skipped = count.skipped + count.pending;
    console.log(`Tests: ${count.passed} passed, ${count.failed} failed, ${skipped} skipped`);
  }
}

function secondAttempt(test: TestCase): string {
  const place = `${test.module.relativeModuleId} > ${test.fullName}`;
  const reason = test.result().errors?.[0]?.message.split("\n")[0] ?? "no reason given";
  return `Passed at the second attempt: ${place}\n  The first one failed: ${reason}`;
}

/** Names every process that the tests have not ended; how many there are. */
async function leftBehind(endsWithinMs: number): Promise<number> {
  const folder = runFolder();
  if (folder === undefined) return 0;
  const left = await remaining(() => serversOf(folder), endsWithinMs);
  for (const { pid, command } of left) {
    console.log(`Left behind by the tests, and ended now: process ${pid}, ${command}`);
  }
  if (left.length > 0) process.exitCode = 1;
  return left.length;
}

export { PlainReporter as default };
