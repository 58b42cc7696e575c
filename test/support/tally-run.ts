import { expect } from "vitest";
import type { MemoryStoreData } from "../../src/stores/memory/store-data.ts";
import { eventually, type RunningEngine } from "./memory-engine.ts";

/** The tallies that count. */
export const ids = ["a", "b", "c", "d"];

export async function startTallies({ client }: RunningEngine): Promise<void> {
  for (const id of ids) await client.start({ workflow: "tally", id, input: {} });
}

/** Sends the numbers to every tally and waits until they are counted. */
export async function count(from: number, to: number, { client }: RunningEngine): Promise<void> {
  for (let number = from; number < to; number += 1) {
    for (const id of ids) {
      const event = { workflow: "tally", id, type: "tally.add", payload: { number } };
      await client.send({ ...event, idempotencyKey: `${id}-${number}` });
    }
  }
}

export async function expectNumbers(to: number, { client }: RunningEngine): Promise<void> {
  const numbers = Array.from({ length: to }, (_, number) => number);
  for (const id of ids) {
    await eventually(async () =>
      expect(await client.get("tally", id)).toMatchObject({ context: { numbers } }),
    );
  }
}

/** What health says of rollbacks. */
export async function rollbacksOf({ client }: RunningEngine) {
  const { ready, warnings } = await client.health();
  return { ready, warnings: warnings.filter((one) => /, \d+ are lost/.test(one)) };
}

export function sums(engine: RunningEngine): { restored: number; lost: number } {
  const seen = engine.seen("rollback");
  return {
    restored: seen.reduce((sum, one) => sum + one.restored, 0),
    lost: seen.reduce((sum, one) => sum + one.lost, 0),
  };
}

/** What the store holds at this moment, to be put back later, as one does that has lost its tail. */
export function snapshotOf(data: MemoryStoreData): () => void {
  const saved = structuredClone(data.partitions);
  return () => {
    data.partitions = saved;
  };
}
