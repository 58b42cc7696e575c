import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { processesOf, remaining } from "./run-processes.ts";
import { removeContainers } from "./server-image.ts";

// Runs beside a test run and outlives it, however that ends: then nobody holds its input any more. It ends what the run
// has left, and removes the run's folder with everything in it.
const [folder = ""] = process.argv.slice(2);
if (!folder.includes("waybill-run-")) throw new Error("this is not the folder of a test run");

for await (const _ of process.stdin) continue;

if (existsSync(join(folder, "programs"))) removeContainers(folder);
await remaining(() => processesOf(folder).filter(end), 20_000);
rmSync(folder, { recursive: true, force: true, maxRetries: 10 });

function end({ pid }: { readonly pid: number }): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}
