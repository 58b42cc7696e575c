import { describe, expect, it } from "vitest";
import type { Commit, Head } from "../../../src/commit.ts";
import { CommitRing } from "../../../src/engine/commit-ring.ts";

const megabyte = 1_048_576;
const partitions = 64;
const epoch = 3;

/** A commit of about so many bytes. */
function commitOf(commitId: string, bytes = 0): Commit {
  return {
    partition: 1,
    epoch,
    commitId,
    inboxWindowMs: 1_000,
    instances: [],
    outboxAdded: [{ seq: 1, entry: "x".repeat(bytes) }],
    outboxSettled: [],
    timersArmed: [],
    timersDisarmed: [],
    deadLettersAdded: [],
    deadLettersRemoved: [],
  };
}

function headOf(changes: Partial<Head>): Head {
  return { epoch, sequence: 10, commitId: "c10", base: 10, ...changes };
}

/** A ring that began at ten commits and has made so many more, one a second. */
function ringOf(commits: number, bytes = 0): CommitRing {
  const ring = new CommitRing(partitions);
  ring.claimed(epoch);
  ring.begin(headOf({}));
  for (let one = 1; one <= commits; one += 1) {
    const commit = ring.follow(commitOf(`c${10 + one}`, bytes));
    ring.committed({ commit, sequence: 10 + one }, one * 1_000);
  }
  return ring;
}

function idsAfter(ring: CommitRing, commitId: string): readonly string[] | undefined {
  return ring.after({ commitId })?.map((commit) => commit.commitId);
}

describe("a ring of commits", () => {
  it("has each commit follow the one before it", () => {
    const ring = ringOf(2);
    expect(ring.after({ commitId: "c10" })?.map(({ follows }) => follows)).toEqual(["c10", "c11"]);
    expect(ring.follow(commitOf("next")).follows).toBe("c12");
  });

  it("knows what came after each of them", () => {
    const ring = ringOf(4);
    expect(idsAfter(ring, "c12")).toEqual(["c13", "c14"]);
    expect(idsAfter(ring, "c14")).toEqual([]);
    expect(idsAfter(ring, "c9")).toBeUndefined();
  });

  it("keeps what is not older than a minute", () => {
    const ring = ringOf(100);
    expect(idsAfter(ring, "c49")).toBeUndefined();
    expect(idsAfter(ring, "c50")).toHaveLength(60);
  });

  it("keeps no more than its share of the memory", () => {
    const ring = ringOf(10, megabyte / 4);
    expect(idsAfter(ring, "c17")).toHaveLength(3);
    expect(idsAfter(ring, "c16")).toBeUndefined();
  });

  it("contradicts nothing that it has not seen", () => {
    expect(new CommitRing(partitions).contradiction(headOf({}))).toBeUndefined();
  });

  it("bears with a commit whose answer is outstanding, and with the next owner", () => {
    const ring = ringOf(2);
    const known = { sequence: 12, commitId: "c12" };
    expect(ring.contradiction(headOf(known))).toBeUndefined();
    ring.follow(commitOf("c13"));
    expect(ring.contradiction(headOf({ sequence: 13, commitId: "c13" }))).toBeUndefined();
    const next = headOf({ epoch: epoch + 1, sequence: 40, commitId: "theirs", base: 13 });
    expect(ring.contradiction(next)).toBeUndefined();
  });

  it.each([
    ["fewer commits", { sequence: 11, commitId: "c11" }],
    ["as many commits, and others", { sequence: 12, commitId: "theirs" }],
    ["more commits under the same epoch", { sequence: 20, commitId: "theirs" }],
    ["a lower epoch", { epoch: epoch - 1, sequence: 12, commitId: "c12" }],
    ["an owner who began before", { epoch: epoch + 1, sequence: 40, commitId: "x", base: 11 }],
  ])("is contradicted by %s", (_, changes) => {
    expect(ringOf(2).contradiction(headOf(changes))).toMatch(/lost commits: it was at 12/);
  });

  it("tells from where on the store went another way", () => {
    const ring = ringOf(4);
    const went = (changes: Partial<Head>) => ring.partedAt(headOf(changes));
    expect(went({ sequence: 12, commitId: "c12" })).toBe(12);
    expect(went({ sequence: 30, commitId: "theirs", base: 11 })).toBe(11);
    expect(went({ sequence: 7, commitId: "c7", base: 2 })).toBe(7);
  });

  it("goes on from what was written in place of what was lost", () => {
    const ring = ringOf(4);
    const head = headOf({ sequence: 12, commitId: "c12" });
    ring.claimed(epoch + 1);
    const commit = { ...commitOf("c13"), epoch: epoch + 1, follows: "c12" };
    ring.rewrite(head, [{ commit, sequence: 13 }], 5_000);
    expect([ring.sequence, idsAfter(ring, "c12")]).toEqual([13, ["c13"]]);
    expect(idsAfter(ring, "c13")).toEqual([]);
    expect(idsAfter(ring, "c14")).toBeUndefined();
  });

  it("takes no commit of an earlier claim, and none twice", () => {
    const ring = ringOf(1);
    ring.committed({ commit: { ...commitOf("old"), epoch: epoch - 1 }, sequence: 12 }, 1);
    ring.committed({ commit: commitOf("c11"), sequence: 11 }, 1);
    expect([ring.sequence, idsAfter(ring, "c10")]).toEqual([11, ["c11"]]);
  });
});
