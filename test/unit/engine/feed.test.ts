import { beforeEach, describe, expect, it } from "vitest";
import { Feed } from "../../../src/engine/feed.ts";
import type { ConsumeOptions, Delivery, Transport } from "../../../src/transport.ts";

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
        close: async () => {
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

const delivery = (tag: number): Delivery => ({ message: { body: "" }, tag, redeliveries: 0 });

describe("a feed", () => {
  it("takes as much as it may, in order, also what comes before it has its consumer in hand", async () => {
    const opening = feed.open();
    opened[0]?.deliver(delivery(1));
    await opening;
    opened[0]?.deliver(delivery(2));
    feed.ack([delivery(1)]);
    expect(opened.map(({ prefetch, acked }) => [prefetch, acked])).toEqual([[1_000, [1]]]);
    expect(delivered).toEqual([1, 2]);
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
