import { describe, expect, it } from "vitest";
import { mostCapable, ownersOf } from "../../../src/engine/rendezvous.ts";

const many = (count: number) => Array.from({ length: count }, (_, index) => `member-${index}`);
const countsOf = (owners: readonly string[], members: readonly string[]) =>
  members.map((member) => owners.filter((owner) => owner === member).length);

describe("the owners of partitions", () => {
  it("are the same whatever the order of the members", () => {
    expect(ownersOf(256, ["a", "b", "c"])).toEqual(ownersOf(256, ["c", "a", "b"]));
  });

  it.each([1, 2, 3, 4, 5, 7, 16, 20])(
    "have no more than one more than another: %i of them",
    (count) => {
      for (const partitions of [8, 16, 32, 100]) {
        const members = many(count);
        const owners = ownersOf(partitions, members);
        expect(owners).toHaveLength(partitions);
        const counts = countsOf(owners, members);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }
    },
  );

  it("change for little more than the share of the one that comes or goes", () => {
    const [partitions, members] = [256, many(7)];
    const before = ownersOf(partitions, members);
    const after = ownersOf(partitions, [...members, "new"]);
    const moved = after.filter((owner, partition) => owner !== before[partition]);
    expect(moved.filter((owner) => owner === "new")).toHaveLength(partitions / 8);
    expect(moved.length).toBeLessThan((2 * partitions) / 8);
  });

  it("are nobody among no members", () => {
    expect(ownersOf(8, [])).toEqual([]);
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
