import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const guardFile = fileURLToPath(new URL("./run-guard.ts", import.meta.url));

let guard: ChildProcess | undefined;

/** The folder for everything temporary of this test run, once `setup` has made it. */
export function runFolder(): string | undefined {
  return process.env["WAYBILL_TEST_RUN"];
}

/** Before the first test of a run makes its folder, and sets a guard that removes it however the run ends. */
export function setup(): void {
  if (runFolder() !== undefined) return;
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "waybill-run-")));
  // The workers inherit both, and so does all that they start.
  process.env["WAYBILL_TEST_RUN"] = folder;
  process.env["TMPDIR"] = folder;
  guard = spawn(process.execPath, [guardFile, folder], {
    stdio: ["pipe", "ignore", "inherit"],
    detached: true,
  });
  guard.unref();
}

/** After the last test resolves once nothing of the run is left. */
export async function teardown(): Promise<void> {
  if (guard === undefined || guard.exitCode !== null) return;
  guard.ref();
  guard.stdin?.end();
  await once(guard, "exit");
}
