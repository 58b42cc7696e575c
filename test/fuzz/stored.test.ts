import * as fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { MemoryStoreData } from "../../src/stores/memory/store-data.ts";
import { firstSeed, runs } from "../support/fuzz-budget.ts";
import { anyText } from "../support/hostile.ts";
import { keeper } from "../support/keeper.ts";
import { eventually, type RunningEngine, startEngine } from "../support/memory-engine.ts";
import { memoryWorld } from "../support/world.ts";

/** A busy machine must not look like a lost partition. */
const limits = { leaseMs: 600_000, storeDeadlineMs: 60_000 };
const setup = { workflows: [keeper], partitions: 1, limits };
let running: RunningEngine | undefined;

afterEach(() => running?.stop());

/** A JSON text with one of its values replaced or left out, or some of its characters. */
const changes = fc.record({
  at: fc.nat(),
  value: fc.oneof(fc.jsonValue({ maxDepth: 2 }), anyText),
  how: fc.constantFrom("replaced", "left out", "cut off", "garbled"),
});
type Change = typeof changes extends fc.Arbitrary<infer Value> ? Value : never;

function changed(text: string, { at, value, how }: Change): string {
  if (how === "cut off") return text.slice(0, at % text.length);
  if (how === "garbled") return `${text.slice(0, at % text.length)}${JSON.stringify(value)}`;
  const places: [object, string][] = [];
  const whole: unknown = JSON.parse(text, function (this: object, key, inner: unknown) {
    places.push([this, key]);
    return inner;
  });
  const [holder, key] = places[at % places.length] ?? [{}, ""];
  if (key === "") return JSON.stringify(value);
  if (how === "left out") Reflect.deleteProperty(holder, key);
  else Reflect.set(holder, key, value);
  return JSON.stringify(whole);
}

/** A partition with an instance of every kind: one that runs, one with a dead letter, one that was only awaited. */
async function filled(): Promise<ReturnType<typeof memoryWorld>> {
  const world = memoryWorld();
  const engine = await startEngine(world, setup);
  const { client } = engine;
  for (const id of ["broken", "whole"]) {
    await client.start({ workflow: "keeper", id, input: { list: [1, "two", null] } });
    await client.send({ workflow: "keeper", id, type: "keep", payload: { text: "kept" } });
  }
  await client.sendAsync({ workflow: "keeper", id: "broken", type: "odd", payload: { a: 1 } });
  await eventually(async () => expect((await client.deadLetters()).items).toHaveLength(1));
  await eventually(() => expect(world.data.partitions[0]?.outbox.size).toBe(0));
  await engine.stop();
  return world;
}

/** Whatever the neighbour holds: the partition is owned, and an instance that is whole goes on. */
async function goesOn(engine: RunningEngine): Promise<void> {
  const keep = { workflow: "keeper", id: "whole", type: "keep", payload: { text: "again" } };
  expect(await engine.client.send(keep)).toMatchObject({ outcome: "applied" });
  expect(engine.seen("partition").filter(({ change }) => change !== "claimed")).toEqual([]);
}

function partitionOf(data: MemoryStoreData) {
  const [partition] = data.partitions;
  if (partition === undefined) throw new Error("there is no partition");
  return partition;
}

describe("what the store holds, when it is broken", () => {
  test("a record stops its own instance only", async () => {
    const world = await filled();
    const { instances } = partitionOf(world.data);
    const whole = instances.get("keeper/broken");
    if (whole === undefined) throw new Error("there is no instance");
    const property = fc.asyncProperty(changes, async (change) => {
      const record = changed(whole.stored.record, change);
      instances.set("keeper/broken", { ...whole, stored: { ...whole.stored, record } });
      running = await startEngine(world, setup);
      const { client } = running;
      const broken = { workflow: "keeper", id: "broken" };
      await client.sendAsync({ ...broken, type: "keep", payload: {} });
      await client.sendAsync({ ...broken, type: "end", payload: {} });
      await goesOn(running);
      await Promise.allSettled([client.get("keeper", "broken"), client.terminate(broken)]);
      await client.list({ workflow: "keeper" });
      await goesOn(running);
      await running.stop();
    });
    await fc.assert(property, { seed: firstSeed, numRuns: runs(50) });
  });

  test("a promised effect goes to the operator, and the others go out", async () => {
    const world = await filled();
    const partition = partitionOf(world.data);
    const outgoing = {
      exchange: "events",
      routingKey: "kept",
      message: { id: "keeper/whole/2/0", type: "kept", body: "{}", headers: { a: "b" } },
    };
    const entry = JSON.stringify({ kind: "publish", outgoing, trace: {} });
    const property = fc.asyncProperty(changes, async (change) => {
      partition.lastSeq += 2;
      partition.outbox.set(partition.lastSeq - 1, changed(entry, change));
      partition.outbox.set(partition.lastSeq, entry);
      running = await startEngine(world, setup);
      await goesOn(running);
      await eventually(() => expect(partition.outbox.has(partition.lastSeq)).toBe(false));
      await running.stop();
    });
    await fc.assert(property, { seed: firstSeed, numRuns: runs(30) });
  });

  test("a dead letter can be seen and dropped, and a history read around the broken entry", async () => {
    const world = await filled();
    const partition = partitionOf(world.data);
    const [[id, letter] = ["", undefined]] = partition.deadLetters;
    if (letter === undefined) throw new Error("there is no dead letter");
    const history = partition.histories.get("keeper/whole") ?? [];
    const [first = ""] = history;
    running = await startEngine(world, setup);
    const { client } = running;
    const property = fc.asyncProperty(changes, async (change) => {
      partition.deadLetters.set(id, { ...letter, entry: changed(letter.entry, change) });
      partition.histories.set("keeper/whole", [changed(first, change), ...history.slice(1)]);
      expect((await client.deadLetters()).items).toHaveLength(1);
      expect(await client.history("keeper", "whole", { limit: 2 })).toHaveLength(2);
      await client.dropDeadLetter(id);
      expect((await client.deadLetters()).items).toHaveLength(0);
    });
    await fc.assert(property, { seed: firstSeed, numRuns: runs(60) });
    await goesOn(running);
  });

  test("a timer's row disturbs no other", async () => {
    const world = await filled();
    const partition = partitionOf(world.data);
    const ids = fc.oneof(
      anyText,
      fc
        .tuple(fc.constantFrom("keeper/whole", "keeper/broken", "odd/x", "x"), anyText, anyText)
        .map((parts) => parts.join("#")),
      fc
        .tuple(
          fc.constantFrom("~lease:1:a", "~retry:0:", "~deadline:0:x", "~limbo", "~held"),
          fc.nat(9),
        )
        .map(([name, generation]) => `keeper/broken#${generation}#${name}`),
    );
    running = await startEngine(world, setup);
    const engine = running;
    const property = fc.asyncProperty(ids, async (id) => {
      partition.timers.set(id, 0);
      await goesOn(engine);
    });
    await fc.assert(property, { seed: firstSeed, numRuns: runs(50) });
  });
});
