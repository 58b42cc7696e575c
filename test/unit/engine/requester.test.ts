import { beforeEach, describe, expect, it } from "vitest";
import type { EnginePorts } from "../../../src/engine/ports.ts";
import { Requester } from "../../../src/engine/requests/requester.ts";
import { silentObserver } from "../../../src/observer.ts";
import { namesFor } from "../../../src/routing.ts";
import type { ConsumeOptions, Outgoing, Topology } from "../../../src/transport.ts";
import { HandClock } from "../../support/hand-clock.ts";

let clock: HandClock;
let there: Set<string>;
let consumed: (ConsumeOptions & { closed: boolean })[];
let requester: Requester;
/** So many consumers end while whoever called `consume` still waits for its answer. */
let endsAsItBegins: number;

beforeEach(async () => {
  clock = new HandClock(0);
  there = new Set();
  consumed = [];
  endsAsItBegins = 0;
  let ids = 0;
  const transport = {
    declare: async ({ queues }: Topology) => {
      for (const { name } of queues) there.add(name);
    },
    consume: async (options: ConsumeOptions) => {
      const consumer = { ...options, closed: false };
      consumed.push(consumer);
      if (endsAsItBegins > 0) options.lost("cut");
      endsAsItBegins = Math.max(0, endsAsItBegins - 1);
      return {
        ack: () => undefined,
        close: async () => {
          consumer.closed = true;
        },
      };
    },
    publish: async (batch: readonly Outgoing[]) =>
      batch.map(({ routingKey }) => (there.has(routingKey) ? "confirmed" : "returned")),
  };
  const next = () => {
    ids += 1;
    return String(ids);
  };
  requester = new Requester({
    transport,
    clock,
    ids: { next },
    names: namesFor("waybill"),
    observer: silentObserver,
  } as unknown as EnginePorts);
  await requester.start();
});

describe("the queue for answers", () => {
  it("is left alone while it is there", async () => {
    await clock.pass(60_000);
    expect(consumed).toHaveLength(1);
  });

  it("is made anew, under another name, when it is gone and nobody has said so", async () => {
    there.clear();
    await clock.pass(10_000);
    expect(consumed.map(({ closed }) => closed)).toEqual([true, false]);
    expect(consumed[1]?.queue).not.toBe(consumed[0]?.queue);
    expect([...there]).toEqual([consumed[1]?.queue]);
  });

  it("is made anew again when its new consumer ends before it is known to have begun", async () => {
    endsAsItBegins = 1;
    consumed[0]?.lost("cut");
    await clock.pass(5_000);
    expect(consumed).toHaveLength(3);
    expect(consumed.map(({ closed }) => closed)).toEqual([true, true, false]);
  });

  it("is made anew once, though its consumer is lost as well", async () => {
    there.clear();
    await clock.pass(5_000);
    consumed[0]?.lost("cut");
    await clock.pass(4_000);
    expect(consumed).toHaveLength(2);
  });

  it("is forgotten once the process stops", async () => {
    await requester.stop();
    there.clear();
    await clock.pass(60_000);
    expect(consumed).toHaveLength(1);
  });
});
