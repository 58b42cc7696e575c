import { beforeEach, describe, expect, it } from "vitest";
import { Feed } from "../../../src/engine/feed.ts";
import type { ConsumeOptions, Delivery, Transport } from "../../../src/transport.ts";
import { settled } from "../../support/hand-clock.ts";

interface Opened extends ConsumeOptions {
  readonly acked: number[];
  closed: boolean;
}

let opened: Opened[];
let delivered: number[];
let lost: string[];
let feed: Feed;

beforeEach(() => {
  opened = [];
  delivered = [];
  lost = [];
  const transport = {
    async consume(options: ConsumeOptions) {
      const consumer: Opened = { ...options, acked: [], closed: false };
      opened.push(consumer);
      return {
        ack: (deliveries: readonly Delivery[]) =>
          consumer.acked.push(...deliveries.map(({ tag }) => tag)),
        close: async (last: readonly Delivery[] = []) => {
          consumer.acked.push(...last.map(({ tag }) => tag));
          consumer.closed = true;
        },
      };
    },
  } as unknown as Transport;
  feed = new Feed({
    transport,
    queue: "waybill.p.0",
    prefetch: 1_000,
    deliver: ({ tag }) => delivered.push(tag),
    lost: (reason) => lost.push(reason),
  });
});

const delivery = (tag: number, redeliveries = 0): Delivery => ({
  message: { body: "" },
  tag,
  redeliveries,
});

describe("a feed", () => {
  it("takes one message at first, and many once the first was no suspect", async () => {
    await feed.open();
    opened[0]?.deliver(delivery(1));
    feed.ack([delivery(1)]);
    await settled();
    expect(opened.map(({ prefetch, closed }) => [prefetch, closed])).toEqual([
      [1, true],
      [1_000, false],
    ]);
    expect(opened[0]?.acked).toEqual([1]);
  });

  it("goes on taking one at a time while the head of the queue came back twice", async () => {
    await feed.open();
    feed.ack([delivery(1, 2)]);
    await settled();
    expect(opened).toHaveLength(1);
    feed.ack([delivery(2, 1)]);
    await settled();
    expect(opened).toHaveLength(2);
  });

  it("hands on nothing that an earlier consumer still brings", async () => {
    await feed.open();
    feed.ack([delivery(1)]);
    await settled();
    opened[0]?.deliver(delivery(2));
    opened[1]?.deliver(delivery(1));
    expect(delivered).toEqual([1]);
  });

  it("tells when its consumer is lost, but not once it was closed", async () => {
    await feed.open();
    opened[0]?.lost("cut");
    expect(lost).toEqual(["cut"]);
    await feed.close();
    opened[0]?.lost("cut again");
    expect(lost).toEqual(["cut"]);
    expect(opened[0]?.closed).toBe(true);
  });

  it("that is closed while it opens leaves no consumer behind", async () => {
    const opening = feed.open();
    await feed.close();
    await opening;
    expect(opened[0]?.closed).toBe(true);
  });
});
