import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { nodeProblem } from "./test/support/node-version.ts";

const problem = nodeProblem(process.versions.node);
if (problem !== undefined) throw new Error(problem);

// Vitest would load XState's development build, which warns and throws where the production build, the one that
// users run, is silent. Node, which reads this file, resolves to that one.
const alias = ["xstate", "xstate/graph"].map((find) => ({
  find: new RegExp(`^${find}$`),
  replacement: fileURLToPath(import.meta.resolve(find)),
}));

const suite = (name: string, testTimeout = 5_000) => ({
  resolve: { alias },
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    globalSetup: ["./test/support/test-run.ts"],
  },
});

/** A suite on real servers; they are looked for once, before the first test. */
const onServers = (name: string, testTimeout: number) => {
  const { resolve, test } = suite(name, testTimeout);
  const globalSetup = [...test.globalSetup, "./test/support/server-programs.ts"];
  return { resolve, test: { ...test, globalSetup, hookTimeout: 120_000 } };
};

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/plain-reporter.ts"],
    projects: [
      suite("unit"),
      suite("contracts"),
      suite("fuzz", 120_000),
      suite("model", 120_000),
      suite("simulation", 120_000),
      suite("integration", 60_000),
      onServers("servers", 60_000),
      onServers("chaos", 120_000),
    ],
  },
});
