import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

type Figures = Readonly<Record<string, number | Readonly<Record<string, number>>>>;

/** Runs a benchmark with small sizes: what it prints is no figure to quote, but has to be there. */
async function run(bench: string, sizes: string): Promise<Readonly<Record<string, Figures>>> {
  return (await resultOf<{ subjects: Readonly<Record<string, Figures>> }>(bench, sizes)).subjects;
}

async function resultOf<Result>(bench: string, sizes: string): Promise<Result> {
  const file = fileURLToPath(import.meta.resolve(`../../../bench/${bench}.ts`));
  const args = [file, "--json", ...sizes.split(" ")];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Result;
}

const all = { perSecond: expect.any(Number), cpuUsPerUnit: expect.any(Object) };
const times = { p50Ms: expect.any(Number), p99Ms: expect.any(Number) };

test("an order's latency is there as a whole and in its two parts", async () => {
  const subjects = await run("orders", "--rate 20 --seconds 2");
  const parts = { "start to packed": times, "signal to done": times };
  expect(subjects).toMatchObject({ order: { ...all, ...times }, ...parts });
});

test("what is traced is exported while it is measured, and what is lean stands beside it", async () => {
  const sizes = "--tracing 1 --only waybill,lean --messages 500 --instances 50 --rounds 1 --rate 0";
  const { waybill, lean, traced } = await run("path", sizes);
  expect([waybill, lean, traced]).toMatchObject([all, all, { ...all, traces: expect.any(Number) }]);
  // Each of 1,000 messages is handled, and leads to one that is sent.
  expect(traced?.["spans"]).toBeGreaterThan(1_000);
});

test("whole orders run in one process with one file", async () => {
  const subjects = await run("embedded", "--orders 50 --inFlight 10 --rounds 1");
  expect(subjects).toMatchObject({ waybill: { ...all, ...times } });
});

test("an event among few instances stands beside one among more", async () => {
  const sizes = "--instances 100,200 --rate 100 --seconds 2 --messages 200 --rounds 1";
  const subjects = await run("memory", sizes);
  const kinds = [100, 200].flatMap((size) => [
    [`${size} at rest`, all],
    [`event at a rate among ${size}`, { ...all, ...times }],
    [`event drained among ${size}`, all],
  ]);
  expect(subjects).toMatchObject(Object.fromEntries(kinds));
});

test("a figure stands beside its target", async () => {
  const { rows } = await resultOf<{ rows: readonly object[] }>("table", "--quick --only step");
  const row = { name: "step", seen: expect.any(Number), command: expect.stringContaining("step") };
  expect(rows).toMatchObject([row]);
});
