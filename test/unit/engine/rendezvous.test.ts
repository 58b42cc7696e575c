import { describe, expect, it } from "vitest";
import { mostCapable, ownerOf } from "../../../src/engine/rendezvous.ts";

const partitions = Array.from({ length: 256 }, (_, partition) => partition);
const owners = (members: readonly string[]) =>
  partitions.map((partition) => ownerOf(partition, members));

describe("rendezvous hashing", () => {
  it("gives the same owner whatever the order of the members", () => {
    expect(owners(["a", "b", "c"])).toEqual(owners(["c", "a", "b"]));
  });

  it("shares the partitions out about evenly", () => {
    const counts = new Map<string | undefined, number>();
    for (const owner of owners(["a", "b", "c", "d"])) {
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(count).toBeGreaterThan(40);
    expect(counts.size).toBe(4);
  });

  it("moves only the share of the one that comes or goes", () => {
    const before = owners(["a", "b", "c"]);
    const after = owners(["a", "b", "c", "d"]);
    const moved = after.filter((owner, partition) => owner !== before[partition]);
    expect(new Set(moved)).toEqual(new Set(["d"]));
  });

  it("finds nobody among no members", () => {
    expect(ownerOf(0, [])).toBeUndefined();
  });
});

describe("who may own", () => {
  const ids = (...members: readonly (readonly [string, ...string[]])[]) =>
    mostCapable(members.map(([id, ...workflows]) => ({ id, workflows }))).map(({ id }) => id);

  it("are those that hold every version, while a new one is rolled out beside the old one", () => {
    expect(ids(["old", "a@1"], ["new", "a@1", "a@2"])).toEqual(["new"]);
  });

  it("are all members when each holds the same, or none holds all", () => {
    expect(ids(["x", "a@1"], ["y", "a@1"])).toEqual(["x", "y"]);
    expect(ids(["x", "a@1"], ["y", "b@1"])).toEqual(["x", "y"]);
  });
});
