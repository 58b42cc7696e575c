import type { Reporter, TestModule } from "vitest/node";

/** Ends a run with the one plain line that every CI can read. */
class PlainReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      // A file that could not be loaded has no tests to count, yet it is a failure.
      count.failed += module.errors().length;
      for (const result of module.children.allTests()) count[result.result().state] += 1;
    }
    const skipped = count.skipped + count.pending;
    console.log(`Tests: ${count.passed} passed, ${count.failed} failed, ${skipped} skipped`);
  }
}

export { PlainReporter as default };
