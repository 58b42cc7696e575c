import { describe, expect, it } from "vitest";
import type { MemoryTransport } from "../../../transports/memory/transport.ts";
import { useEngines } from "../../support/engines.ts";
import { eventually, type RunningEngine, startEngine } from "../../support/memory-engine.ts";
import { tally } from "../../support/tally.ts";
import { outsider } from "../../support/world.ts";

// With so many, one of two engines is as good as never left without any.
const partitions = 32;
const engines = useEngines({ workflows: [tally], partitions });
const ids = ["a", "b", "c", "d", "e", "f"];

async function startTallies(engine: RunningEngine): Promise<void> {
  for (const id of ids) await engine.client.start({ workflow: "tally", id, input: {} });
}

/** Sends the numbers from 0 on to every tally, a few at a time, as `send` is told to go on. */
async function count(to: number, { client }: RunningEngine, from = 0): Promise<void> {
  for (let number = from; number < to; number += 1) {
    for (const id of ids) {
      const idempotencyKey = `${id}-${number}`;
      const event = { workflow: "tally", id, type: "tally.add", payload: { number } };
      await client.sendAsync({ ...event, idempotencyKey });
    }
    if (number % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function expectAll(upTo: number, { client }: RunningEngine): Promise<void> {
  const numbers = Array.from({ length: upTo }, (_, number) => number);
  for (const id of ids) {
    await eventually(async () => {
      const { version } = await client.get("tally", id);
      expect(version).toBeGreaterThan(upTo);
    });
    const { context } = await client.get("tally", id);
    expect(context).toEqual({ numbers });
  }
}

const shared = (one: RunningEngine, other: RunningEngine) =>
  eventually(() => {
    expect(one.owned().length).toBeGreaterThan(0);
    expect(other.owned().length).toBeGreaterThan(0);
    const all = new Set([...one.owned(), ...other.owned()]);
    expect([all.size, one.owned().length + other.owned().length]).toEqual([partitions, partitions]);
  });

describe("two engines", () => {
  it("share the partitions, and answer for each other's instances", async () => {
    const one = await engines.start();
    expect(one.owned()).toHaveLength(partitions);
    await startTallies(one);
    const other = await engines.start();
    await shared(one, other);
    for (const id of ids) {
      const event = { workflow: "tally", id, type: "tally.add", payload: { number: 0 } };
      expect(await other.client.send(event)).toMatchObject({ outcome: "applied" });
    }
    expect(one.seen("applied").length + other.seen("applied").length).toBe(ids.length);
  });

  it("keep the order of events, each applied once, while one comes and goes", async () => {
    const one = await engines.start();
    await startTallies(one);
    const counting = count(400, one);
    const other = await engines.start();
    await shared(one, other);
    await other.stop();
    await counting;
    await expectAll(400, one);
    await eventually(() => expect(one.owned()).toHaveLength(partitions));
  });

  it("take over from one that was killed, with everything that it had begun", async () => {
    const published = await (await outsider(engines.world)).gather("tally.added");
    const one = await engines.start();
    const other = await engines.start();
    await startTallies(other);
    await shared(one, other);
    const counting = count(200, other);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await one.kill();
    await counting;
    await expectAll(200, other);
    await eventually(() => expect(other.owned()).toHaveLength(partitions));
    await eventually(() =>
      expect(new Set(published.map(({ id }) => id)).size).toBe(ids.length * 200),
    );
  });

  it("are waited for no longer than their leases hold, once they are silent", async () => {
    const one = await engines.start();
    const { store, limits } = one.ports;
    const announce = store.announce.bind(store);
    const announced: number[] = [];
    store.announce = (member, ttlMs) => {
      announced.push(ttlMs);
      return announce(member, ttlMs);
    };
    await eventually(() => expect(announced).toContain(limits.leaseMs));
    expect(Math.max(...announced)).toBe(limits.leaseMs);
  });

  it("do not wait for one that the broker is away for: it claims nothing until it is back", async () => {
    const cut = await engines.start();
    const other = await engines.start();
    await eventually(() => expect(other.owned().length).toBeGreaterThan(0));
    const claims = () => cut.seen("partition").filter(({ change }) => change === "claimed").length;
    const before = claims();
    const transport = cut.ports.transport as MemoryTransport;
    await transport.sever("cut off");
    await eventually(() => expect(other.owned()).toHaveLength(partitions));
    expect(claims()).toBe(before);
    expect(cut.owned()).toEqual([]);
    await transport.restore();
    await eventually(() => expect(cut.owned().length).toBeGreaterThan(0));
  });

  it("need the same number of partitions", async () => {
    await engines.start();
    const wrong = startEngine(engines.world, { workflows: [tally], partitions: 4 });
    await expect(wrong).rejects.toMatchObject({ code: "partition-count" });
  });
});

describe("an engine that stops", () => {
  it("has finished what it had begun: nothing is left to be published or told from a double", async () => {
    const published = await (await outsider(engines.world)).gather("tally.added");
    const one = await engines.start();
    const { transport } = one.ports;
    const publish = transport.publish.bind(transport);
    transport.publish = async (batch) => {
      // The broker is slow to take what machines emit.
      const isEmitted = batch.some(({ exchange }) => exchange === "events");
      if (isEmitted) await new Promise((resolve) => setTimeout(resolve, 20));
      return publish(batch);
    };
    await startTallies(one);
    const counting = count(100, one);
    await counting;
    await one.stop();
    const statuses = await engines.world.store().partitions();
    expect(statuses.map(({ outboxEntries }) => outboxEntries)).toEqual(Array(partitions).fill(0));
    expect(statuses.map(({ owner }) => owner)).toEqual(Array(partitions).fill(undefined));
    await eventually(() => expect(published).toHaveLength(one.seen("applied").length));
    const next = await engines.start();
    await expectAll(100, next);
    expect(next.seen("set-aside")).toEqual([]);
    await eventually(() => expect(published).toHaveLength(ids.length * 100));
  });

  it("hands over at once: nobody waits for a lease to run out", async () => {
    const one = await engines.start();
    await startTallies(one);
    await one.stop();
    const next = await engines.start();
    expect(next.owned()).toHaveLength(partitions);
  });
});
