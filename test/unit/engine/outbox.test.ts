import { describe, expect, it } from "vitest";
import { Outbox } from "../../../src/engine/outbox.ts";
import type { Observation } from "../../../src/observer.ts";
import type { Confirmation, Outgoing, Transport } from "../../../src/transport.ts";
import { HandClock, settled } from "../../support/hand-clock.ts";

type Answer = readonly Confirmation[] | Promise<never>;
const never = new Promise<never>(() => {});

/** An outbox over a broker that answers each batch as `answer` says. */
function outboxWith(answer: (ids: readonly string[]) => Answer) {
  const clock = new HandClock();
  const published: string[][] = [];
  const marked: string[] = [];
  const delivered: number[] = [];
  const troubles: Observation[] = [];
  const transport = {
    async publish(batch: readonly Outgoing[]) {
      const ids = batch.map(({ message }) => message.id ?? "");
      published.push(ids);
      for (const { message } of batch) {
        if (message.headers?.["x-waybill-republished"] === "1") marked.push(message.id ?? "");
      }
      return answer(ids);
    },
    state: () => ({ status: "up" }),
  } as unknown as Transport;
  const outbox = new Outbox({
    clock,
    transport,
    observer: { observe: (observation) => troubles.push(observation) },
    delivered: (seqs) => delivered.push(...seqs),
  });
  return { outbox, clock, published, marked, delivered, troubles };
}

const entry = (seq: number) => ({
  seq,
  outgoing: { exchange: "", routingKey: "q", message: { id: `m${seq}`, body: "" } } as const,
});
function all(ids: readonly string[]): readonly Confirmation[] {
  return ids.map(() => "confirmed");
}

describe("an outbox", () => {
  it("publishes in order, one batch at a time, and says what is safe", async () => {
    const { outbox, published, delivered } = outboxWith(all);
    outbox.add([entry(1), entry(2)]);
    outbox.add([entry(3)]);
    expect(outbox.size).toBe(3);
    await outbox.drained();
    expect(published).toEqual([["m1", "m2"], ["m3"]]);
    expect(delivered).toEqual([1, 2, 3]);
    expect(outbox.size).toBe(0);
  });

  it("goes on from the first that was not confirmed, after a growing pause that new entries do not cut short", async () => {
    let fails = true;
    const { outbox, clock, published, delivered, troubles } = outboxWith((ids) =>
      ids.map((id) => (fails && id === "m2" ? "failed" : "confirmed")),
    );
    outbox.add([entry(1), entry(2), entry(3)]);
    await settled();
    outbox.add([entry(4)]);
    await clock.pass(49);
    expect(published).toEqual([["m1", "m2", "m3"]]);
    expect(delivered).toEqual([1]);
    await clock.pass(1);
    await clock.pass(99);
    expect(published).toHaveLength(2);
    fails = false;
    await clock.pass(1);
    expect(published.at(-1)).toEqual(["m2", "m3", "m4"]);
    expect(delivered).toEqual([1, 2, 3, 4]);
    expect(troubles).toHaveLength(2);
  });

  it("marks what it publishes again, and nothing that went out once", async () => {
    let fails = true;
    const { outbox, clock, published, marked } = outboxWith((ids) =>
      ids.map((id) => (fails && id === "m2" ? "failed" : "confirmed")),
    );
    outbox.add([entry(1), entry(2), entry(3)]);
    await settled();
    outbox.add([entry(4)]);
    fails = false;
    await clock.pass(50);
    expect(published.at(-1)).toEqual(["m2", "m3", "m4"]);
    expect(marked).toEqual(["m2", "m3"]);
  });

  it("puts aside what no queue takes, so that it holds up nobody, and tries it again", async () => {
    let taken = false;
    const { outbox, clock, delivered } = outboxWith((ids) =>
      ids.map((id) => (id === "m1" && !taken ? "returned" : "confirmed")),
    );
    outbox.add([entry(1), entry(2)]);
    await outbox.drained();
    expect(delivered).toEqual([2]);
    expect(outbox.size).toBe(1);
    taken = true;
    await clock.pass(2_000);
    expect(delivered).toEqual([2, 1]);
  });

  it("counts silence for ten seconds as a failure, and publishes again", async () => {
    const { outbox, clock, published, delivered } = outboxWith((ids) =>
      published.length === 1 ? never : all(ids),
    );
    outbox.add([entry(1)]);
    await clock.pass(10_049);
    expect(published).toHaveLength(1);
    await clock.pass(1);
    expect(delivered).toEqual([1]);
  });

  it("forgets everything when it is closed, and lets go of whoever waits", async () => {
    const { outbox, clock, published } = outboxWith((ids) => ids.map(() => "failed"));
    outbox.add([entry(1)]);
    await settled();
    const drained = outbox.drained();
    outbox.close();
    await drained;
    await clock.pass(60_000);
    expect(published).toHaveLength(1);
    expect(outbox.size).toBe(0);
  });
});
