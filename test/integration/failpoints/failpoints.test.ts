import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Failpoint, failpoints } from "../../../src/failpoint.ts";
import { killAndJudge } from "./kill-and-judge.ts";

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
  acknowledged: [1, 3],
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

describe("a process that is killed", () => {
  it("has a test for every failpoint there is", () => {
    expect(Object.keys(crossings)).toEqual([...failpoints]);
  });

  const table = failpoints.flatMap((at) => crossings[at].map((crossing) => ({ at, crossing })));

  it.concurrent.each(table)(
    "at the failpoint $at, crossing $crossing, loses nothing and doubles nothing",
    async ({ at, crossing }) => {
      const folder = await mkdtemp(join(tmpdir(), "failpoint-"));
      const store = `sqlite:${join(folder, "waybill.db")}`;
      try {
        await killAndJudge({ broker: "embedded:", store, prefix: "chores" }, at, crossing);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
});
