import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const bench = fileURLToPath(import.meta.resolve("../../../bench/path.ts"));
const only = ["--only", "waybill,bridge,byHand"];
const sizes = ["--messages", "5000", "--rounds", "2", "--seconds", "2", "--rate", "50"];

// Ratios of CPU within one run say the same on any machine; the margins leave room for cold code and noise.
test("a message costs little more than the bare broker, and far less than the path written by hand", async () => {
  const run = promisify(execFile)(process.execPath, [bench, "--json", ...only, ...sizes]);
  const { stdout } = await run;
  const { ratio } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as {
    readonly ratio: Readonly<Record<string, number>>;
  };
  process.stdout.write(`  ${JSON.stringify(ratio)}\n`);
  expect(ratio["waybill CPU / bridge CPU"]).toBeLessThan(4);
  expect(ratio["byHand CPU / waybill CPU"]).toBeGreaterThan(2.5);
});
