import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Queue, Transport } from "../../src/transport.ts";
import {
  collect,
  declareQueues,
  eventually,
  opened,
  quietWhile,
  type TransportFactory,
  type TransportLab,
  toQueue,
} from "./transport-lab.ts";

export function transportConsumeContract(create: TransportFactory): void {
  let lab: TransportLab;
  let first: Transport;
  let second: Transport;
  let queue: string;

  async function declare(kind: Queue["kind"]): Promise<void> {
    await declareQueues(first, { name: queue, kind });
  }

  beforeEach(async () => {
    lab = await create();
    queue = `${lab.prefix}.queue`;
    first = await opened(lab);
    second = await opened(lab);
  });
  afterEach(() => lab.dispose());

  describe.each(["partition", "ingress"] as const)("a queue of kind %s", (kind) => {
    test("feeds the consumer that came first and no other, even when it is full", async () => {
      await declare(kind);
      const active = await collect(first, queue, { prefetch: 2 });
      const standby = await collect(second, queue);
      await first.publish(toQueue(queue, "1", "2", "3", "4"));
      await eventually(() => expect(active.bodies()).toEqual(["1", "2"]));
      await quietWhile();
      expect(active.bodies()).toEqual(["1", "2"]);
      expect(standby.bodies()).toEqual([]);
      active.consumer.ack(active.deliveries.slice(0, 1));
      await eventually(() => expect(active.bodies()).toEqual(["1", "2", "3"]));
    });

    test("feeds the next consumer, in the old order, when the first one goes", async () => {
      await declare(kind);
      const active = await collect(first, queue, { prefetch: 3 });
      const standby = await collect(second, queue);
      await first.publish(toQueue(queue, "1", "2", "3", "4", "5"));
      await eventually(() => expect(active.bodies()).toEqual(["1", "2", "3"]));
      active.consumer.ack(active.deliveries.slice(1, 2));
      await active.consumer.close();
      await eventually(() => expect(standby.bodies()).toEqual(["1", "3", "4", "5"]));
      // "4" may have been on its way to the first one, which had room again.
      const counts = standby.deliveries.map(({ redeliveries }) => redeliveries);
      expect(counts.map((count, index) => (index === 2 ? 0 : count))).toEqual([1, 1, 0, 0]);
      expect(counts[2]).toBeLessThanOrEqual(1);
    });
  });

  describe("a queue of kind work", () => {
    test("shares its messages out, each to one consumer", async () => {
      await declare("work");
      const one = await collect(first, queue, { acking: true, prefetch: 2 });
      const other = await collect(second, queue, { acking: true, prefetch: 2 });
      const numbers = Array.from({ length: 60 }, (_, index) => String(index).padStart(2, "0"));
      await first.publish(toQueue(queue, ...numbers));
      const all = (): string[] => [...one.bodies(), ...other.bodies()].toSorted();
      await eventually(() => expect(all()).toEqual(numbers));
      expect(one.bodies().length).toBeGreaterThan(0);
      expect(other.bodies().length).toBeGreaterThan(0);
    });

    test("goes on at other consumers while one has its hands full", async () => {
      await declare("work");
      const stuck = await collect(first, queue, { prefetch: 1 });
      const busy = await collect(second, queue, { prefetch: 1, acking: true });
      await first.publish(toQueue(queue, "1", "2", "3", "4", "5", "6"));
      await eventually(() => expect(busy.bodies()).toHaveLength(5));
      expect(stuck.bodies()).toHaveLength(1);
    });
  });

  describe("a consumer", () => {
    beforeEach(() => declare("partition"));

    test("cannot be started on a queue that was never declared", async () => {
      await expect(collect(first, `${lab.prefix}.undeclared`)).rejects.toThrow("undeclared");
    });

    test("gets what waited before it came", async () => {
      await first.publish(toQueue(queue, "1", "2"));
      const got = await collect(second, queue);
      await eventually(() => expect(got.bodies()).toEqual(["1", "2"]));
    });

    test("has no more than its prefetch out, and gets more as it acknowledges", async () => {
      await first.publish(toQueue(queue, "1", "2", "3", "4", "5"));
      const got = await collect(first, queue, { prefetch: 2 });
      await eventually(() => expect(got.deliveries).toHaveLength(2));
      await quietWhile();
      expect(got.deliveries).toHaveLength(2);
      got.consumer.ack(got.deliveries.slice());
      await eventually(() => expect(got.bodies()).toEqual(["1", "2", "3", "4"]));
    });

    test("gets rising tags, and counts how often each message came back", async () => {
      await first.publish(toQueue(queue, "1", "2"));
      for (const before of [0, 1, 2]) {
        const got = await collect(first, queue);
        await eventually(() => expect(got.deliveries).toHaveLength(2));
        const [one, two] = got.deliveries;
        expect(two?.tag).toBeGreaterThan(one?.tag ?? Number.NaN);
        expect(got.deliveries.map(({ redeliveries }) => redeliveries)).toEqual([before, before]);
        await got.consumer.close();
      }
    });

    test("removes for good what it acknowledges, in whatever order", async () => {
      await first.publish(toQueue(queue, "1", "2", "3", "4"));
      const got = await collect(first, queue);
      await eventually(() => expect(got.deliveries).toHaveLength(4));
      got.consumer.ack(got.deliveries.slice(2, 4));
      got.consumer.ack(got.deliveries.slice(0, 1));
      await got.consumer.close();
      const next = await collect(second, queue);
      await eventually(() => expect(next.bodies()).toEqual(["2"]));
      await quietWhile();
      expect(next.bodies()).toEqual(["2"]);
    });

    test("returns what it holds to the head of the queue when it closes", async () => {
      await first.publish(toQueue(queue, "1", "2", "3"));
      const got = await collect(first, queue);
      await eventually(() => expect(got.deliveries).toHaveLength(3));
      await first.publish(toQueue(queue, "4"));
      await got.consumer.close();
      const next = await collect(second, queue);
      await eventually(() => expect(next.bodies()).toEqual(["1", "2", "3", "4"]));
    });

    test("gets nothing more once it is closed, and closing twice does no harm", async () => {
      const got = await collect(first, queue);
      await got.consumer.close();
      await got.consumer.close();
      await first.publish(toQueue(queue, "1"));
      await quietWhile();
      expect(got.bodies()).toEqual([]);
      expect(got.losses).toEqual([]);
    });

    test("has no say over its deliveries once it is closed", async () => {
      await first.publish(toQueue(queue, "1"));
      const got = await collect(first, queue);
      await eventually(() => expect(got.deliveries).toHaveLength(1));
      await got.consumer.close();
      got.consumer.ack(got.deliveries);
      const next = await collect(second, queue);
      await eventually(() => expect(next.bodies()).toEqual(["1"]));
    });
  });

  describe("the depth of a queue", () => {
    test("counts what waits, not what is out", async () => {
      await declare("partition");
      await first.publish(toQueue(queue, "1", "2", "3"));
      await eventually(async () => expect(await second.depth(queue)).toBe(3));
      const got = await collect(first, queue, { prefetch: 2 });
      await eventually(async () => expect(await second.depth(queue)).toBe(1));
      await got.consumer.close();
      await eventually(async () => expect(await second.depth(queue)).toBe(3));
    });
  });
}
