import { describe, expect, it } from "vitest";
import type { PartitionData } from "../../../src/stores/memory/store-data.ts";
import { useEngines } from "../../support/engines.ts";
import { attempts, errand, untilAborted } from "../../support/errand.ts";
import { deadLetters, eventually, inState, startWorker } from "../../support/memory-engine.ts";
import { tally } from "../../support/tally.ts";
import {
  count,
  expectNumbers,
  ids,
  rollbacksOf,
  snapshotOf,
  startTallies,
  sums,
} from "../../support/tally-run.ts";
import { outsider } from "../../support/world.ts";

const partitions = 2;
const engines = useEngines({ workflows: [tally, errand({ local: false })], partitions });

const undelivered = () =>
  engines.world.data.partitions.reduce((sum, { outbox }) => sum + outbox.size, 0);

const sequences = (data: readonly PartitionData[] = engines.world.data.partitions) =>
  data.reduce((sum, { sequence }) => sum + sequence, 0);

describe("a store that has lost its last commits", () => {
  it("gets them back from the owner that made them, and nothing is applied or emitted twice", async () => {
    const published = await (await outsider(engines.world)).gather("tally.added");
    const engine = await engines.start();
    await startTallies(engine);
    await count(0, 5, engine);
    const goBack = snapshotOf(engines.world.data);
    await count(5, 12, engine);
    goBack();
    await count(12, 15, engine);
    await expectNumbers(15, engine);
    expect(sums(engine)).toEqual({ restored: expect.any(Number), lost: 0 });
    expect(sums(engine).restored).toBeGreaterThanOrEqual(7 * ids.length);
    await eventually(() =>
      expect(new Set(published.map(({ id }) => id)).size).toBe(15 * ids.length),
    );
    const bodies = new Map(published.map(({ id, body }) => [id, body]));
    for (const { id, body } of published) expect(bodies.get(id)).toBe(body);
    const { ready, warnings } = await rollbacksOf(engine);
    expect(ready).toBe(true);
    expect(warnings).toHaveLength(partitions);
    expect(warnings[0]).toMatch(/has lost commits: it was at \d+, .* restored, 0 are lost/);
  });

  it("is noticed while nothing happens, and has its timers and its outbox again", async () => {
    const engine = await engines.start();
    await startTallies(engine);
    const goBack = snapshotOf(engines.world.data);
    await count(0, 3, engine);
    await eventually(() => expect(undelivered()).toBe(0));
    const before = structuredClone(engines.world.data.partitions);
    goBack();
    // What was lost, and the first commit of who takes each partition up again.
    await eventually(() => expect(sequences()).toBe(sequences(before) + partitions));
    for (const [number, data] of engines.world.data.partitions.entries()) {
      const { instances: _, ...rest } = data;
      const was = before[number];
      expect(rest).toMatchObject({
        outbox: was?.outbox,
        timers: was?.timers,
        histories: was?.histories,
        lastSeq: was?.lastSeq,
      });
      expect(rest.sequence).toBe((was?.sequence ?? Infinity) + 1);
      expect(rest.epoch).toBeGreaterThan(was?.epoch ?? Infinity);
    }
  });

  it("is noticed while nothing happens, though it has as many commits of others in their place", async () => {
    const engine = await engines.start();
    await startTallies(engine);
    await count(0, 2, engine);
    await eventually(() => expect(undelivered()).toBe(0));
    for (const data of engines.world.data.partitions) {
      data.lastCommit = data.lastCommit && { ...data.lastCommit, commitId: "another's" };
    }
    await eventually(() => {
      const lost = engine.seen("partition").filter(({ change }) => change === "lost");
      expect(lost.map(({ reason }) => reason)).toEqual(
        Array.from({ length: partitions }, () => "the store has lost commits"),
      );
    });
    await eventually(() => expect(engine.seen("rollback")).toHaveLength(partitions));
  });

  it("is noticed when even the owner's claim is among what was lost", async () => {
    const first = await engines.start();
    await startTallies(first);
    await count(0, 2, first);
    await first.stop();
    const goBack = snapshotOf(engines.world.data);
    const second = await engines.start();
    await count(2, 6, second);
    goBack();
    await count(6, 8, second);
    await expectNumbers(8, second);
    expect(sums(second)).toMatchObject({ lost: 0 });
    const epochs = second.seen("partition").map(({ epoch }) => epoch);
    expect(Math.max(...engines.world.data.partitions.map(({ epoch }) => epoch))).toBe(
      Math.max(...epochs),
    );
  });

  it("keeps the effects that were not delivered yet apart from those that come after", async () => {
    const published = await (await outsider(engines.world)).gather("tally.added");
    const engine = await engines.start();
    await startTallies(engine);
    const { transport } = engine.ports;
    const publish = transport.publish.bind(transport);
    transport.publish = async (batch) => {
      const isEmitted = batch.some(({ exchange }) => exchange === "events");
      return isEmitted ? batch.map(() => "failed") : publish(batch);
    };
    const goBack = snapshotOf(engines.world.data);
    await count(0, 3, engine);
    goBack();
    await eventually(() => expect(sums(engine).restored).toBeGreaterThan(0));
    await count(3, 6, engine);
    await engine.kill();
    // What was promised is in the store alone now.
    const next = await engines.start();
    await expectNumbers(6, next);
    await eventually(() =>
      expect(new Set(published.map(({ id }) => id)).size).toBe(6 * ids.length),
    );
  });

  it("gets them back from an owner that stops, before it gives its partitions away", async () => {
    const first = await engines.start();
    await startTallies(first);
    const goBack = snapshotOf(engines.world.data);
    await count(0, 4, first);
    goBack();
    await first.stop();
    expect(sums(first)).toEqual({ restored: expect.any(Number), lost: 0 });
    expect(sums(first).restored).toBeGreaterThanOrEqual(4 * ids.length);
    const second = await engines.start();
    expect(second.owned()).toHaveLength(partitions);
    await expectNumbers(4, second);
  });

  it("hands a task out again whose lease is lost with its worker", async () => {
    const { run, seen } = attempts((args, attempt) => (attempt === 1 ? untilAborted(args) : "ok"));
    const engine = await engines.start();
    const goBack = snapshotOf(engines.world.data);
    const worker = await startWorker(engines.world, { errand: { work: run } });
    await engine.client.start({ workflow: "errand", id: "e", input: {} });
    await eventually(() => expect([seen.length, undelivered()]).toEqual([1, 0]));
    await worker.kill();
    goBack();
    await eventually(() => expect(sums(engine).restored).toBeGreaterThan(0));
    const next = await startWorker(engines.world, { errand: { work: run } });
    await inState(engine, "errand/e", "done");
    await next.stop();
  });

  it("waits with a judgement while claims of its own go unanswered, and then writes them again", async () => {
    const engine = await engines.start();
    await startTallies(engine);
    const { store } = engine.ports;
    const claim = store.claim.bind(store);
    let [unanswered, isSilent] = [0, true];
    store.claim = async (...asked) => {
      const answer = await claim(...asked);
      if (!isSilent) return answer;
      unanswered += 1;
      throw new Error("no answer");
    };
    const goBack = snapshotOf(engines.world.data);
    await count(0, 3, engine);
    goBack();
    // Long enough for it to look back at what became of its partitions: it finds epochs that it does not know.
    await eventually(() => expect(unanswered).toBeGreaterThan(4 * partitions));
    isSilent = false;
    await expectNumbers(3, engine);
    expect(sums(engine)).toEqual({ restored: expect.any(Number), lost: 0 });
  });

  it("may lose them again while they are written again", async () => {
    const engine = await engines.start();
    await startTallies(engine);
    const first = snapshotOf(engines.world.data);
    await count(0, 3, engine);
    const second = snapshotOf(engines.world.data);
    await count(3, 6, engine);
    second();
    await eventually(() => expect(sums(engine).restored).toBeGreaterThan(0));
    first();
    await count(6, 8, engine);
    await expectNumbers(8, engine);
    expect(sums(engine)).toMatchObject({ lost: 0 });
  });
});

describe("commits that nobody can write again", () => {
  it("are told, warned of, and set aside for an operator", async () => {
    const first = await engines.start();
    await startTallies(first);
    const goBack = snapshotOf(engines.world.data);
    await count(0, 3, first);
    await first.stop();
    const second = await engines.start();
    await count(3, 4, second);
    goBack();
    await eventually(() => expect(sums(second).lost).toBeGreaterThan(0));
    expect(sums(second).lost).toBeGreaterThanOrEqual(3 * ids.length);
    const letters = await eventually(async () => {
      const found = await deadLetters(second);
      expect(found).toHaveLength(second.seen("rollback").length);
      return found;
    });
    expect(letters.map(({ reason }) => reason)).toEqual(letters.map(() => "rolled-back"));
    expect(letters[0]?.detail).toMatch(/^\d+ commits of partition \d are lost: /);
    const [{ id } = { id: "" }] = letters;
    const refusal = { code: "not-redrivable" };
    await expect(second.client.redriveDeadLetter(id)).rejects.toMatchObject(refusal);
    await second.client.dropDeadLetter(id);
    const { ready, warnings } = await rollbacksOf(second);
    expect([ready, warnings.length]).toEqual([true, second.seen("rollback").length]);
    await count(4, 5, second);
  });

  it.each([
    ["another one has", ["other"]],
    ["two others in turn have", ["other", "third"]],
  ])("are told by the process that made them when %s gone on without them", async (_, others) => {
    const first = await engines.start();
    await startTallies(first);
    await count(0, 2, first);
    const goBack = snapshotOf(engines.world.data);
    await count(2, 4, first);
    // All at once: it was frozen while the store failed over, and others have found its leases run out.
    goBack();
    for (const [number, data] of engines.world.data.partitions.entries()) {
      for (const other of others) {
        data.leaseUntil = 0;
        void first.ports.store.claim(number, other, Infinity);
        data.sequence += 50;
        data.lastCommit = data.lastCommit && { ...data.lastCommit, commitId: `${other}'s` };
      }
    }
    await eventually(() => expect(first.seen("rollback")).toHaveLength(partitions));
    expect(sums(first)).toEqual({ restored: 0, lost: expect.any(Number) });
    expect(sums(first).lost).toBeGreaterThanOrEqual(2 * ids.length);
    expect(first.owned()).toEqual([]);
  });
});

describe("what is no rollback", () => {
  it("is not told: a commit that is answered late, a restart, a hand-over", async () => {
    const first = await engines.start();
    await startTallies(first);
    const { store } = first.ports;
    const commit = store.commit.bind(store);
    let losing = 6;
    store.commit = async (one) => {
      const answer = await commit(one);
      losing -= 1;
      // The answer is lost, so nobody here knows that it was written.
      if (losing >= 0) throw new Error("no answer");
      return answer;
    };
    await count(0, 6, first);
    const second = await engines.start();
    await count(6, 9, second);
    await first.stop();
    await count(9, 12, second);
    await expectNumbers(12, second);
    expect([...first.seen("rollback"), ...second.seen("rollback")]).toEqual([]);
    expect(await rollbacksOf(second)).toMatchObject({ warnings: [] });
  });
});
