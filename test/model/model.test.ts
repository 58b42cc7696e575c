import { describe, expect, test } from "vitest";
import { quickRows } from "./configurations.ts";
import { explore } from "./explore.ts";

const mostStates = 200_000;

describe("the protocol as it is built", () => {
  const rows = quickRows.filter(({ breaks, because }) => breaks === undefined && !because);
  test.each(rows)("keeps every promise, whatever happens: $name", (row) => {
    const { broken, trace, isExhaustive } = explore(row, mostStates);
    expect(broken, trace.join("\n")).toBeUndefined();
    expect(isExhaustive).toBe(true);
  });
});

describe("without one guard", () => {
  const rows = quickRows.filter(({ breaks }) => breaks !== undefined);
  test.each(rows)("a promise breaks: $name", (row) => {
    const { broken, trace } = explore(row, mostStates);
    expect(broken).toMatch(row.breaks ?? "");
    expect(trace.length).toBeGreaterThan(1);
  });

  const spare = quickRows.filter(({ because }) => because);
  test.each(spare)("all promises hold as another one is enough: $name, since $because", (row) => {
    const { broken, trace, isExhaustive } = explore(row, mostStates);
    expect(broken, trace.join("\n")).toBeUndefined();
    expect(isExhaustive).toBe(true);
  });
});
