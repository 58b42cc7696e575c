import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig, type TestUserConfig } from "vitest/config";
import { nodeProblem } from "./test/support/node-version.ts";

const problem = nodeProblem(process.versions.node);
if (problem !== undefined) throw new Error(problem);

// Vitest would load XState's development build, which warns and throws where the production build, the one that
// users run, is silent. Node, which reads this file, resolves to that one.
const alias = ["xstate", "xstate/graph"].map((find) => ({
  find: new RegExp(`^${find}$`),
  replacement: fileURLToPath(import.meta.resolve(find)),
}));

const suite = (name: string, more: TestUserConfig = {}) => ({
  resolve: { alias },
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    globalSetup: ["./test/support/test-run.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 30_000 } },
    ...more,
  },
});

/** On real servers: they are looked for once, before the first test. A broker keeps two cores busy. */
const onServers = (name: string, more: TestUserConfig) =>
  suite(name, {
    globalSetup: ["./test/support/test-run.ts", "./test/support/server-programs.ts"],
    hookTimeout: 120_000,
    maxWorkers: Math.max(1, Math.floor(availableParallelism() / 4)),
    sequence: { groupOrder: 1 },
    ...more,
  });

/** Where real time passes, a second attempt is allowed; the reporter names every test that needs it. */
const retry = 1;

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/plain-reporter.ts"],
    projects: [
      suite("unit"),
      suite("contracts", { retry }),
      suite("fuzz", { testTimeout: 120_000 }),
      suite("model", { testTimeout: 120_000 }),
      suite("simulation", { testTimeout: 120_000 }),
      suite("integration", { testTimeout: 60_000, retry }),
      onServers("servers", { testTimeout: 120_000, retry }),
      onServers("chaos", { testTimeout: 240_000, retry, include: ["test/chaos/*.test.ts"] }),
      onServers("cluster", { testTimeout: 240_000, include: ["test/chaos/cluster/*.test.ts"] }),
    ],
  },
});
