import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Message } from "../../src/message.ts";
import type { Exchange, Outgoing, Transport } from "../../src/transport.ts";
import {
  collect,
  declareQueues,
  eventually,
  messageOf,
  opened,
  quietWhile,
  type TransportFactory,
  type TransportLab,
  toQueue,
} from "./transport-lab.ts";

export function transportPublishContract(create: TransportFactory): void {
  let lab: TransportLab;
  let transport: Transport;
  let queue: string;

  beforeEach(async () => {
    lab = await create();
    queue = `${lab.prefix}.work`;
    transport = await opened(lab);
    await declareQueues(transport, { name: queue, kind: "work" });
  });
  afterEach(() => lab.dispose());

  describe("publishing", () => {
    test("carries every field of a message, and text that is no JSON, as it is", async () => {
      const message: Message = {
        id: "m-1",
        type: "order.placed",
        body: '{"text":"Grüße, 运单 \u0000 not closed',
        correlationId: "c-1",
        replyTo: "someone",
        timestamp: 1_763_800_000_000,
        appId: "shop",
        headers: { traceparent: "00-abc", "x-waybill-instance": "order/1" },
      };
      const got = await collect(transport, queue);
      await transport.publish([{ exchange: "", routingKey: queue, message }]);
      await eventually(() => expect(got.deliveries).toHaveLength(1));
      expect(got.deliveries[0]?.message).toEqual({ ...message, userId: "engine" });
    });

    test("leaves out the fields that a message does not have", async () => {
      const got = await collect(transport, queue);
      await transport.publish([{ exchange: "", routingKey: queue, message: { body: "{}" } }]);
      await eventually(() => expect(got.deliveries).toHaveLength(1));
      expect(got.deliveries[0]?.message).toEqual({ body: "{}", userId: "engine" });
    });

    test("stamps its own user whatever the message says", async () => {
      const other = await opened(lab, "guest");
      const got = await collect(transport, queue);
      const message = { ...messageOf("forged"), userId: "engine" };
      await other.publish([{ exchange: "", routingKey: queue, message }]);
      await eventually(() => expect(got.deliveries).toHaveLength(1));
      expect(got.deliveries[0]?.message.userId).toBe("guest");
      expect(other.user).toBe("guest");
    });

    test("keeps the order within a batch and from call to call", async () => {
      const got = await collect(transport, queue, { acking: true, prefetch: 7 });
      const numbers = Array.from({ length: 300 }, (_, index) => String(index));
      await Promise.all([
        transport.publish(toQueue(queue, ...numbers.slice(0, 100))),
        transport.publish(toQueue(queue, ...numbers.slice(100, 200))),
        transport.publish(toQueue(queue, ...numbers.slice(200))),
      ]);
      await eventually(() => expect(got.bodies()).toEqual(numbers));
    });

    test("answers nothing to an empty batch", async () => {
      expect(await transport.publish([])).toEqual([]);
    });

    test("answers one confirmation a message in the order given", async () => {
      const batch = [
        ...toQueue(queue, "1"),
        ...toQueue(`${lab.prefix}.nowhere`, "2"),
        ...toQueue(queue, "3"),
        onTopic("events", `${lab.prefix}.nobody.listens`, "4"),
      ];
      expect(await transport.publish(batch)).toEqual([
        "confirmed",
        "returned",
        "confirmed",
        "confirmed",
      ]);
      await eventually(async () => expect(await transport.depth(queue)).toBe(2));
    });

    test.each(["events", "inbound", "changes"] as const)(
      "confirms a message to the exchange %s that nobody has bound",
      async (exchange) => {
        const batch = [onTopic(exchange, `${lab.prefix}.unheard`, "1")];
        expect(await transport.publish(batch)).toEqual(["confirmed"]);
      },
    );

    test("answers failed before it was opened and after it was closed, and never rejects", async () => {
      const other = lab.connect("engine");
      expect(await other.publish(toQueue(queue, "early", "too"))).toEqual(["failed", "failed"]);
      await other.open();
      await other.close();
      expect(await other.publish(toQueue(queue, "late"))).toEqual(["failed"]);
      expect(await transport.depth(queue)).toBe(0);
    });

    test("has a confirmed message kept when its publisher is gone", async () => {
      const other = await opened(lab);
      expect(await other.publish(toQueue(queue, "left behind"))).toEqual(["confirmed"]);
      await other.close();
      const got = await collect(transport, queue);
      await eventually(() => expect(got.bodies()).toEqual(["left behind"]));
    });
  });

  describe("topic exchanges", () => {
    test("copy to every queue with a pattern that matches, and once to each", async () => {
      const names = ["one", "star", "hash", "twice", "other"];
      const queues = names.map((name) => ({ name: `${queue}.${name}`, kind: "work" as const }));
      const bind = (name: string, pattern: string, exchange: "events" | "changes" = "events") => ({
        queue: `${queue}.${name}`,
        exchange,
        pattern: `${lab.prefix}.${pattern}`,
      });
      await transport.declare({
        queues,
        bindings: [
          bind("one", "order.placed"),
          bind("star", "*.placed"),
          bind("hash", "#"),
          bind("twice", "order.#"),
          bind("twice", "#.placed"),
          bind("other", "#", "changes"),
        ],
      });
      const keys = ["order.placed", "stock.placed", "order.line.added", "order"];
      const sent = keys.map((key) => onTopic("events", `${lab.prefix}.${key}`, key));
      await transport.publish(sent);
      const depths = (): Promise<number[]> =>
        Promise.all(queues.map(({ name }) => transport.depth(name)));
      await eventually(async () => expect(await depths()).toEqual([1, 2, 4, 4, 0]));
    });
  });

  describe("delays", () => {
    test("hold a message back for at least their time while others pass it", async () => {
      const got = await collect(transport, queue);
      const sentAt = performance.now();
      const [slow] = toQueue(queue, "slow");
      const batch = [{ ...(slow as Outgoing), delayMs: 80 }, ...toQueue(queue, "fast")];
      expect(await transport.publish(batch)).toEqual(["confirmed", "confirmed"]);
      await eventually(() => expect(got.bodies()).toEqual(["fast"]));
      await eventually(() => expect(got.bodies()).toEqual(["fast", "slow"]));
      expect(performance.now() - sentAt).toBeGreaterThanOrEqual(80);
    });

    test("do not make a short one wait behind a long one", async () => {
      const got = await collect(transport, queue);
      const [long, short] = toQueue(queue, "long", "short");
      await transport.publish([{ ...(long as Outgoing), delayMs: 60_000 }]);
      await transport.publish([{ ...(short as Outgoing), delayMs: 20 }]);
      await eventually(() => expect(got.bodies()).toEqual(["short"]));
      await quietWhile();
      expect(got.bodies()).toEqual(["short"]);
    });
  });
}

function onTopic(exchange: Exchange, routingKey: string, body: string): Outgoing {
  return { exchange, routingKey, message: messageOf(body) };
}
