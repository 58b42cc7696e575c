import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const support = fileURLToPath(new URL("../../support", import.meta.url));

/** The test run within a test; `run.test.ts` watches how it ends. */
export default defineConfig({
  test: {
    include: ["test/servers/run/inner.ts"],
    globalSetup: [`${support}/test-run.ts`],
    reporters: [["default"], [`${support}/plain-reporter.ts`, { endsWithinMs: 1_000 }]],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    retry: 1,
  },
});
