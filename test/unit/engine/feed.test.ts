import { beforeEach, describe, expect, it } from "vitest";
import { Feed } from "../../../src/engine/feed.ts";
import type { ConsumeOptions, Delivery, Transport } from "../../../src/transport.ts";
import { HandClock } from "../../support/hand-clock.ts";

interface Opened extends ConsumeOptions {
  readonly acked: number[];
  closed: boolean;
}

let opened: Opened[];
let delivered: number[];
let lost: string[];
let feed: Feed;
let feedWith: (prefetch: number) => Feed;
let clock: HandClock;

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
        close: async () => {
          consumer.closed = true;
        },
      };
    },
  } as unknown as Transport;
  clock = new HandClock(1_020);
  feedWith = (prefetch) =>
    new Feed({
      clock,
      transport,
      queue: "waybill.p.0",
      prefetch,
      deliver: ({ tag }) => delivered.push(tag),
      lost: (reason) => lost.push(reason),
    });
  feed = feedWith(1_000);
});

const delivery = (tag: number): Delivery => ({ message: { body: "" }, tag, redeliveries: 0 });

describe("a feed", () => {
  it("takes as much as it may, in order, also what comes before it has its consumer in hand", async () => {
    const opening = feed.open();
    opened[0]?.deliver(delivery(1));
    await opening;
    opened[0]?.deliver(delivery(2));
    expect(opened.map(({ prefetch }) => prefetch)).toEqual([1_000]);
    expect(delivered).toEqual([1, 2]);
  });

  it("acknowledges at the next multiple of 50 ms all that was handled until then", async () => {
    await feed.open();
    feed.ack([delivery(1)]);
    await clock.pass(29);
    feed.ack([delivery(3), delivery(2)]);
    expect(opened[0]?.acked).toEqual([]);
    await clock.pass(1);
    expect(opened[0]?.acked).toEqual([1, 3, 2]);
    expect(clock.pending).toBe(0);
  });

  it("acknowledges a hundred at once, for the broker hands out no more than it may", async () => {
    await feed.open();
    const tags = Array.from({ length: 100 }, (_, tag) => tag);
    feed.ack(tags.slice(0, 99).map(delivery));
    expect(opened[0]?.acked).toEqual([]);
    feed.ack([delivery(99)]);
    expect(opened[0]?.acked).toEqual(tags);
    expect(clock.pending).toBe(0);
  });

  it("holds no more than a quarter of what it may have out", async () => {
    const narrow = feedWith(8);
    await narrow.open();
    narrow.ack([delivery(1)]);
    expect(opened[0]?.acked).toEqual([]);
    narrow.ack([delivery(2)]);
    expect(opened[0]?.acked).toEqual([1, 2]);
  });

  it("acknowledges all that was handled before it closes, and nothing after", async () => {
    await feed.open();
    feed.ack([delivery(1)]);
    await feed.close();
    expect(opened[0]?.acked).toEqual([1]);
    feed.ack([delivery(2)]);
    await clock.pass(100);
    expect(opened[0]?.acked).toEqual([1]);
  });

  it("leaves to the next owner what the broker has not heard of when it is abandoned", async () => {
    await feed.open();
    feed.ack([delivery(1)]);
    await feed.abandon();
    await clock.pass(100);
    expect(opened[0]).toMatchObject({ acked: [], closed: true });
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
