import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wire } from "../../src/engine/wire.ts";
import type { Message } from "../../src/message.ts";
import type { Outgoing } from "../../src/transport.ts";
import type { MemoryTransport } from "../../transports/memory/transport.ts";
import { firstSeed, runs } from "../support/fuzz-budget.ts";
import { anyBody, anyText } from "../support/hostile.ts";
import { keeper } from "../support/keeper.ts";
import { type RunningEngine, startEngine } from "../support/memory-engine.ts";
import { memoryWorld, type World } from "../support/world.ts";

const partitions = 2;
/** A busy machine must not look like a lost partition. */
const patience = { leaseMs: 600_000, storeDeadlineMs: 60_000 };
let world: World;
let engine: RunningEngine;
let outsider: MemoryTransport;
let insider: MemoryTransport;

beforeAll(async () => {
  world = memoryWorld();
  engine = await startEngine(world, { workflows: [keeper], partitions, limits: patience });
  outsider = await world.connect("shop");
  insider = await world.connect("waybill");
  await engine.client.start({ workflow: "keeper", id: "one", input: {} });
});

afterAll(async () => {
  await engine.stop();
  await world.end();
});

const keys = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("keeper/one", "keeper/two", "keeper/three") },
  anyText,
);
const headers = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: keys.map((key) => ["x-waybill-instance", key] as const) },
      fc.tuple(
        fc.constantFrom(
          "x-waybill-until",
          "x-waybill-if-version",
          "x-waybill-outsider",
          "__proto__",
        ),
        anyText,
      ),
      fc.tuple(fc.constantFrom("traceparent", "tracestate", "baggage", "x-death"), anyText),
    ),
    { maxLength: 3 },
  )
  .map((entries) => Object.fromEntries(entries));
const events = fc.record({
  type: fc.constant("keep"),
  input: fc.jsonValue(),
  action: anyText,
  until: anyText,
  outcome: fc.jsonValue(),
  news: fc.jsonValue(),
  activity: anyText,
  generation: fc.jsonValue(),
  due: fc.jsonValue(),
});
const messages: fc.Arbitrary<Message> = fc.record(
  {
    id: anyText,
    type: fc.oneof(fc.constantFrom("keep", "keep", "end", ...Object.values(wire)), anyText),
    body: anyBody(events).map((body) =>
      typeof body === "string" ? body : Buffer.from(body).toString(),
    ),
    correlationId: fc.oneof(
      anyText,
      fc.constantFrom("keeper/one/1/1", "keeper/one/99999999999999999999/1"),
    ),
    replyTo: fc.oneof(anyText, fc.constantFrom("waybill.p.0", "nowhere")),
    timestamp: fc.double(),
    appId: anyText,
    headers,
  },
  { requiredKeys: ["body"] },
);
const places = fc.constantFrom<Pick<Outgoing, "exchange" | "routingKey">>(
  { exchange: "", routingKey: "waybill.p.0" },
  { exchange: "", routingKey: "waybill.p.1" },
  { exchange: "inbound", routingKey: "keep" },
);

/** Publishes them, and waits until an honest event that comes after them is applied. */
async function survives(from: MemoryTransport, batch: readonly Outgoing[]): Promise<void> {
  await from.publish(batch);
  await engine.client.start({ workflow: "keeper", input: {} });
  for (let number = 0; number < partitions; number += 1) {
    const depth = () => insider.depth(`waybill.p.${number}`);
    await expect.poll(depth, { timeout: 60_000, interval: 5 }).toBe(0);
  }
  const lost = engine.seen("partition").filter(({ change }) => change !== "claimed");
  expect(lost).toEqual([]);
}

describe("messages of any kind", () => {
  const batches = fc.array(fc.tuple(messages, places), { minLength: 1, maxLength: 20 });
  const outgoings = batches.map((batch) =>
    batch.map(([message, place]) => ({ ...place, message })),
  );

  test.each([
    ["outsiders", () => outsider],
    ["engines of other versions", () => insider],
  ])("from %s stop no partition", async (_who, from) => {
    await fc.assert(
      fc.asyncProperty(outgoings, (batch) => survives(from(), batch)),
      { seed: firstSeed, numRuns: runs(150) },
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(await engine.client.health()).toMatchObject({ ready: true });
  });

  test("leave dead letters that can be listed, sent again and dropped", async () => {
    const { items } = await engine.client.deadLetters({ limit: 1_000 });
    expect(items.length).toBeGreaterThan(20);
    for (const { id, reason } of items.slice(0, 20)) {
      expect(reason).toMatch(/^[a-z-]+$/);
      await engine.client.redriveDeadLetter(id).catch(() => engine.client.dropDeadLetter(id));
    }
    await survives(insider, []);
  });
});
