import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { SqliteFile } from "../../src/sqlite-file.ts";
import { SqliteStore } from "../../src/stores/sqlite/store.ts";
import { openEmbeddedBroker } from "../../transports/embedded/broker.ts";
import { collect, declareQueues, eventually } from "../contracts/transport-lab.ts";

const writer = fileURLToPath(import.meta.resolve("./embedded-writer.ts"));
const poison = fileURLToPath(import.meta.resolve("./embedded-poison.ts"));

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "waybill-"));
  path = join(folder, "waybill.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Starts the writer, kills it after at least `lines` confirmations and gives all that it printed. */
async function confirmedBeforeKill(run: number, lines: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [writer, path, String(run)]);
  let text = "";
  let complaints = "";
  child.stderr.on("data", (chunk) => {
    complaints += String(chunk);
  });
  child.stdout.on("data", (chunk) => {
    text += String(chunk);
    if (text.split("\n").length > lines) child.kill("SIGKILL");
  });
  const [, signal] = await once(child, "close");
  expect(complaints).toBe("");
  expect(signal).toBe("SIGKILL");
  return text.split("\n").slice(0, -1);
}

describe("killing the process with signal 9", () => {
  test("loses nothing that was confirmed, three times in a row", async () => {
    const confirmed: string[] = [];
    for (const run of [1, 2, 3]) confirmed.push(...(await confirmedBeforeKill(run, run * 150)));
    const named = (kind: string): string[] =>
      confirmed.filter((line) => line.startsWith(kind)).map((line) => line.split(" ")[1] ?? "");
    expect(named("instance").length).toBeGreaterThan(100);
    expect(named("message").length).toBeGreaterThan(100);

    const file = new SqliteFile(path, { clock: systemClock });
    const store = new SqliteStore(file, { clock: { now: () => systemClock.wall() } });
    await store.open({ partitions: 4 });
    const loaded = await store.load(1, named("instance"));
    expect(loaded.filter((instance) => instance === undefined)).toEqual([]);
    for (const key of named("instance").slice(0, 20)) {
      expect(await store.handled(1, key, ["m", "none"])).toEqual(["m"]);
      expect(await store.history(1, key, 0, 9)).toEqual([{ number: 1, entry: "began" }]);
    }

    const broker = openEmbeddedBroker(file, { clock: systemClock });
    const transport = broker.connect({ user: "engine" });
    await transport.open();
    await declareQueues(transport, { name: "mail", kind: "partition" });
    const got = await collect(transport, "mail", { acking: true });
    await eventually(() => expect(got.bodies()).toEqual(expect.arrayContaining(named("message"))));
    expect(new Set(got.bodies()).size).toBe(got.bodies().length);
    await transport.close();
    await broker.close();
    await store.close();
  });

  test("does not make it forget how often a message was handed out", async () => {
    let counts = "";
    for (const body of ["deadly", "", ""]) {
      const child = spawn(process.execPath, [poison, path, body]);
      child.stdout.on("data", (chunk) => {
        counts += String(chunk);
      });
      await once(child, "close");
    }
    expect(counts).toBe("012");
  });

  test("frees the file for the next process at once, and not before", async () => {
    const child = spawn(process.execPath, [writer, path, "1"]);
    await once(child.stdout, "data");
    const file = new SqliteFile(path, { clock: systemClock });
    const startedAt = performance.now();
    expect(() => file.open()).toThrow("Another process is using");
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    child.kill("SIGKILL");
    await once(child, "close");
    file.open();
    await file.close();
  });
});
