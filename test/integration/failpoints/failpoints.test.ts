import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Failpoint, failpoints } from "../../../src/failpoint.ts";
import { ChoreRun, ids, numbersOf } from "./chore.ts";

const program = fileURLToPath(import.meta.resolve("./chore-process.ts"));

/**
 * At which of its crossings a process is killed: the first, and one in the middle of its work. There are always that
 * many: each sender of an instance waits for one event before it sends the next, and no two share a partition.
 */
const crossings: Readonly<Record<Failpoint, readonly number[]>> = {
  claimed: [1, 3],
  redriven: [1, 4],
  delivered: [1, 9],
  "timer-due": [1, 2],
  committing: [1, 8],
  committed: [1, 8],
  acknowledged: [1, 8],
  publishing: [1, 3],
  confirmed: [1, 3],
  settling: [1, 3],
  settled: [1, 3],
  replying: [1, 5],
  replied: [1, 5],
  "activity-started": [1, 2],
  "activity-ended": [1, 2],
  "task-delivered": [1, 2],
  "task-leased": [1, 2],
  "task-acknowledged": [1, 2],
  "task-ended": [1, 2],
  "task-reported": [1, 2],
  "ingress-delivered": [1, 6],
  "ingress-forwarded": [1, 2],
  "ingress-acknowledged": [1, 2],
  releasing: [1, 3],
  released: [1, 3],
};

/** Runs the process until it kills itself, and gives what was accepted before. */
async function killedAt(path: string, at: Failpoint, crossing: number): Promise<Set<string>> {
  const child = spawn(process.execPath, [program, path, at, String(crossing)]);
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
async function finish(path: string, known: ReadonlySet<string>): Promise<void> {
  const accepted = () => undefined;
  const run = new ChoreRun({ broker: "embedded:", store: `sqlite:${path}`, accepted, known });
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

describe("a process that is killed", () => {
  it("has a test for every failpoint there is", () => {
    expect(Object.keys(crossings)).toEqual([...failpoints]);
  });

  const table = failpoints.flatMap((at) => crossings[at].map((crossing) => ({ at, crossing })));

  it.concurrent.each(table)(
    "at the failpoint $at, crossing $crossing, loses nothing and doubles nothing",
    async ({ at, crossing }) => {
      const folder = await mkdtemp(join(tmpdir(), "failpoint-"));
      const path = join(folder, "waybill.db");
      try {
        await finish(path, await killedAt(path, at, crossing));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
});
