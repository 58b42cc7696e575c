import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { Failpoint } from "../../../src/failpoint.ts";
import { type ChorePlace, ChoreRun, ids, numbersOf } from "./chore.ts";

const program = fileURLToPath(import.meta.resolve("./chore-process.ts"));

/** Has a process kill itself there, lets another one go on in its place, and judges what has come of it all. */
export async function killAndJudge(
  place: ChorePlace,
  at: Failpoint,
  crossing: number,
): Promise<void> {
  await finish(place, await killedAt(place, at, crossing));
}

/** Runs the process until it kills itself, and gives what was accepted before. */
async function killedAt(place: ChorePlace, at: Failpoint, crossing: number): Promise<Set<string>> {
  const child = spawn(process.execPath, [program, JSON.stringify(place), at, String(crossing)]);
  let text = "";
  let complaints = "";
  child.stdout.on("data", (chunk) => {
    text += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    complaints += String(chunk);
  });
  const [, signal] = await once(child, "close");
  expect([signal, complaints]).toEqual(["SIGKILL", ""]);
  return new Set(text.split("\n").slice(0, -1));
}

/** Goes on where the killed process has stopped; what that had accepted is sent by nobody again. */
async function finish(place: ChorePlace, known: ReadonlySet<string>): Promise<void> {
  const run = new ChoreRun({ ...place, known, accepted: () => undefined });
  try {
    await run.start();
    await run.send();
    await run.settled();
    await judge(run);
  } finally {
    await run.stop();
  }
}

async function judge(run: ChoreRun): Promise<void> {
  const { client } = run.engine;
  const { asked, published } = numbersOf;
  for (const id of ids) {
    const { context, version } = await client.get("chore", id);
    const { numbers, runs } = context as { numbers: readonly number[]; runs: readonly string[] };
    // Each once, and in the order of each sender.
    expect(numbers.filter((number) => number < 10)).toEqual(asked);
    expect(numbers.filter((number) => number >= 10)).toEqual(published);
    expect(runs).toEqual([expect.stringMatching(/weigh/), expect.stringMatching(/fetch/)]);
    expect(version).toBe(1 + numbers.length + runs.length + 1);
  }
  const count = ids.length * (asked.length + published.length);
  const bodies = new Map<string, string>();
  for (const { id = "", body } of await run.emitted(count)) {
    expect(bodies.get(id) ?? body).toBe(body);
    bodies.set(id, body);
  }
  expect(new Set(bodies.values()).size).toBe(count);
  expect((await client.deadLetters()).items).toEqual([]);
}
