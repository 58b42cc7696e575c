import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Transport } from "../../../src/transport.ts";
import { RabbitMqTransport } from "../../../transports/rabbitmq/transport.ts";
import { declareQueues, toQueue } from "../../contracts/transport-lab.ts";
import { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { Seeded } from "../../support/seeded.ts";
import { freshPrefix, optionsFor, soonEnough } from "./lab.ts";

const count = 1_000;
const longestMs = 5_000;

describe("delays on RabbitMQ", () => {
  let server: RabbitMqServer;

  beforeAll(async () => {
    server = await RabbitMqServer.start();
  }, 120_000);
  afterAll(() => server.stop(), 120_000);

  test("come late by little, never early, and none is lost, whichever process passes them on", async () => {
    const prefix = freshPrefix();
    const queue = `${prefix}.q`;
    const make = () => new RabbitMqTransport(optionsFor(server.url(), prefix));
    const [sender, helper] = [make(), make()];
    await sender.open();
    await helper.open();
    await declareQueues(sender, { name: queue, kind: "work" });
    const arrived = await arrivals(sender, queue);
    const due = new Map<string, number>();
    const chance = new Seeded(7);
    const sent = Array.from({ length: count }, (_, index) => {
      const delayMs = 1 + chance.below(longestMs);
      due.set(String(index), performance.now() + delayMs);
      return sender.publish(toQueue(queue, String(index)).map((one) => ({ ...one, delayMs })));
    });
    expect((await Promise.all(sent)).flat()).toEqual(sent.map(() => "confirmed"));
    await soonEnough(() => expect(arrived.size).toBe(count));
    const late = [...arrived].map(([body, at]) => at - (due.get(body) ?? Infinity));
    const sorted = late.toSorted((one, other) => one - other);
    const percentile = (part: number) => Math.round(sorted[Math.ceil(part * count) - 1] ?? 0);
    process.stdout.write(
      `\n${count} delays up to ${longestMs} ms were late by p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms\n`,
    );
    expect(sorted[0]).toBeGreaterThanOrEqual(0);
    expect(percentile(0.99)).toBeLessThan(10_000);
    await sender.close();
    await helper.close();
  });

  test("keep what a consumer gets the same: no trace of the way is left on it", async () => {
    const prefix = freshPrefix();
    const queue = `${prefix}.q`;
    const transport = new RabbitMqTransport(optionsFor(server.url(), prefix));
    await transport.open();
    await declareQueues(transport, { name: queue, kind: "work" });
    const message = { id: "m", type: "t", body: "1", timestamp: 1_763_800_000_001, replyTo: "r" };
    const headers = { traceparent: "00-1" };
    const events: unknown[] = [];
    const deliver = (delivery: { readonly message: unknown }) => events.push(delivery.message);
    await transport.consume({ queue, prefetch: 10, deliver, lost: () => undefined });
    const outgoing = { exchange: "", routingKey: queue, message: { ...message, headers } } as const;
    await transport.publish([{ ...outgoing, delayMs: 5 }]);
    await transport.publish([{ ...outgoing, delayMs: 150 }]);
    await soonEnough(() => expect(events).toHaveLength(2));
    expect(events).toEqual([1, 2].map(() => ({ ...message, headers, userId: "engine" })));
    await transport.close();
  });

  test("end where an operator finds them when their target is missing, and hold up nothing else", async () => {
    const prefix = freshPrefix();
    const queue = `${prefix}.q`;
    const transport = new RabbitMqTransport(optionsFor(server.url(), prefix));
    await transport.open();
    await declareQueues(transport, { name: queue, kind: "work" });
    const arrived = await arrivals(transport, queue);
    const lost = Array.from({ length: 60 }, () => toQueue(`${prefix}.nowhere`, "lost")).flat();
    const batch = [...lost, ...toQueue(queue, "good")].map((one) => ({ ...one, delayMs: 40 }));
    await transport.publish(batch);
    await soonEnough(() => expect([...arrived.keys()]).toEqual(["good"]));
    await soonEnough(async () => expect(await transport.depth(`${prefix}.unrouted`)).toBe(60));
    await transport.close();
  });

  test("are not passed on for anybody else", async () => {
    const prefix = freshPrefix();
    const queue = `${prefix}.q`;
    const victim = new RabbitMqTransport(optionsFor(server.url(), prefix));
    const forger = new RabbitMqTransport(optionsFor(server.url("guest"), prefix));
    await victim.open();
    await forger.open();
    await declareQueues(victim, { name: queue, kind: "work" });
    const plan = { exchange: "", routingKey: queue, restMs: 0, sender: "x", due: 0 };
    const headers = { "x-waybill-delay": JSON.stringify(plan) };
    const forged = { body: "forged", headers };
    await forger.publish([
      { exchange: "", routingKey: `${prefix}.delayed.engine`, message: forged },
    ]);
    await soonEnough(async () => expect(await victim.depth(`${prefix}.unrouted`)).toBe(1));
    expect(await victim.depth(queue)).toBe(0);
    await victim.close();
    await forger.close();
  });
});

/** When each body arrived first. */
async function arrivals(transport: Transport, queue: string): Promise<Map<string, number>> {
  const arrived = new Map<string, number>();
  const consumer = await transport.consume({
    queue,
    prefetch: 1_000,
    deliver: (delivery) => {
      const { body } = delivery.message;
      arrived.set(body, arrived.get(body) ?? performance.now());
      consumer.ack([delivery]);
    },
    lost: () => undefined,
  });
  return arrived;
}
