import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { Child } from "../../support/child-process.ts";
import { processesOf } from "../../support/run-processes.ts";

const vitest = join(
  dirname(createRequire(import.meta.url).resolve("vitest/package.json")),
  "vitest.mjs",
);

/** A test run of its own that plays one test of `inner.ts`. */
function innerRun(name: string): Child {
  const config = ["--config", "test/servers/run/inner.config.ts", "--root", process.cwd()];
  const args = [vitest, "run", ...config, "--testNamePattern", name];
  return new Child({ args, env: { TMPDIR: tmpdir(), NO_COLOR: "1" } });
}

test.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)(
  "a run that is ended by %s leaves neither processes nor files",
  async (signal) => {
    const run = innerRun("hangs");
    const [, folder = ""] = await run.says(/everything runs in (\S+)/, 200_000);
    const programs = processesOf(folder).map(({ command }) => command);
    for (const name of ["beam", "epmd", "redis-server", "setInterval"]) {
      expect(programs).toContainEqual(expect.stringContaining(name));
    }
    await run.end(signal);
    await expect.poll(() => processesOf(folder), { timeout: 60_000, interval: 50 }).toEqual([]);
    await expect.poll(() => existsSync(folder), { timeout: 60_000, interval: 50 }).toBe(false);
  },
  300_000,
);

test("a run that leaves a process behind fails, names it, and ends it", async () => {
  const run = innerRun("leaves");
  expect(await run.ended()).toBe(1);
  const [, pid] = await run.says(
    /Left behind by the tests, and ended now: process (\d+), sleep 600/,
  );
  expect(run.text).toContain("Tests: 1 passed, 1 failed, 2 skipped");
  expect(processesOf(tmpdir()).map((one) => one.pid)).not.toContain(Number(pid));
});

test("a run names every test that passed at its second attempt", async () => {
  const run = innerRun("fails once");
  expect(await run.ended()).toBe(0);
  expect(run.text).toContain(
    "Passed at the second attempt: test/servers/run/inner.ts > fails once\n  The first one failed: the first attempt",
  );
});
