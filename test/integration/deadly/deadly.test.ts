import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Child } from "../../support/child-process.ts";

const program = fileURLToPath(import.meta.resolve("./trap-process.ts"));
/** It happens twice: as an event that waits, and as a message of its own; then together with others; then alone. */
const mostDeaths = 6;

interface Outcome {
  readonly deaths: number;
  readonly numbers: readonly (readonly number[])[];
  /** What came of the activity of each instance, if it has any. */
  readonly worked: readonly (string | null)[];
  readonly letters: readonly { readonly type?: string; readonly reason: string }[];
}

async function untilAtRest(harm: string): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "waybill-trap-"));
  try {
    return await restarting(harm, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Starts the process again for as long as it is killed. */
async function restarting(harm: string, folder: string): Promise<Outcome> {
  const accepted = new Set<string>();
  for (let deaths = 0; ; deaths += 1) {
    const known = [...accepted].join(",");
    const child = new Child({ args: [program, join(folder, "trap.db"), harm, known] });
    const code = await child.ended();
    for (const [, name = ""] of child.text.matchAll(/^accepted (.+)$/gm)) accepted.add(name);
    const [, rest] = /^rest (.+)$/m.exec(child.text) ?? [];
    if (rest !== undefined) return { deaths, ...(JSON.parse(rest) as Omit<Outcome, "deaths">) };
    if (code !== null || deaths > mostDeaths) throw new Error(`No rest: ${child.text}`);
  }
}

const inOrder = [0, 1, 2, 3, 4, 5];

describe("what ends every process that looks at it", () => {
  it.each([
    ["a message amid others", "message", "trap.harm"],
    ["a message that waits for the start of its instance", "early", "trap.harm"],
    ["a message of a child in the same partition", "child", "waybill.child"],
    ["a timer", "timer", "timer"],
  ])("is set aside soon, and nothing else is: %s", async (_, harm, type) => {
    const { deaths, numbers, letters } = await untilAtRest(harm);
    expect(letters).toEqual([expect.objectContaining({ type, reason: "poison" })]);
    expect(numbers).toEqual([inOrder, inOrder, inOrder]);
    expect(deaths).toBeGreaterThan(2);
    expect(deaths).toBeLessThanOrEqual(mostDeaths);
  });

  // Most of it is waiting, so they wait together.
  it.concurrent.each([
    ["at once", "activity"],
    ["when it has run for a while", "late"],
  ])(
    "fails soon, and nothing else does: an activity that kills %s",
    { timeout: 120_000 },
    async (_, harm) => {
      const { deaths, numbers, letters, worked } = await untilAtRest(harm);
      expect(worked).toEqual(["done", "ProcessEnded", "done"]);
      expect(numbers).toEqual([inOrder, inOrder, inOrder]);
      expect(letters).toEqual([]);
      expect(deaths).toBeGreaterThan(2);
      expect(deaths).toBeLessThanOrEqual(mostDeaths);
    },
  );
});
