import { connect } from "amqplib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sleep, systemClock } from "../../../src/clock.ts";
import type { Transport } from "../../../src/transport.ts";
import type { RabbitMqLimits } from "../../../transports/rabbitmq/options.ts";
import { RabbitMqTransport } from "../../../transports/rabbitmq/transport.ts";
import { collect, declareQueues, messageOf, toQueue } from "../../contracts/transport-lab.ts";
import { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { freshPrefix, optionsFor, publishingChannels, soonEnough } from "./lab.ts";

describe("the RabbitMQ transport, when things break", () => {
  let server: RabbitMqServer;
  let prefix: string;
  let queue: string;
  let transport: RabbitMqTransport;

  function transportTo(port: number, limits: Partial<RabbitMqLimits> = {}): RabbitMqTransport {
    return new RabbitMqTransport(optionsFor(server.url("engine", port), prefix, limits));
  }

  beforeAll(async () => {
    server = await RabbitMqServer.start();
  }, 120_000);
  afterAll(() => server.stop(), 120_000);

  beforeEach(async () => {
    prefix = freshPrefix();
    queue = `${prefix}.p`;
    transport = transportTo(server.port, { confirmDeadlineMs: 1_000 });
    await transport.open();
    await declareQueues(transport, { name: queue, kind: "partition" });
  });
  afterEach(() => transport.close());

  test.each(["shutDown", "kill"] as const)(
    "loses nothing that was confirmed across a restart of the broker (%s), and goes on by itself",
    async (ending) => {
      const confirmed = new Set<string>();
      const publishing = { on: true };
      const publisher = publishUntil(publishing, { transport, queue, confirmed });
      const got = new Set<string>();
      const losses: string[] = [];
      const consuming = consumeAgain(transport, queue, { got, losses });
      await soonEnough(() => expect(confirmed.size).toBeGreaterThan(200));
      // RabbitMQ 3.10 forgets the log of a quorum queue that was made within the last second before a crash.
      await sleep(systemClock, 1_500);
      await server[ending]();
      await soonEnough(() => expect(transport.state().status).toBe("down"));
      expect(transport.state().reason).toBeTruthy();
      const before = confirmed.size;
      await server.run();
      await soonEnough(() => expect(confirmed.size).toBeGreaterThan(before + 200));
      publishing.on = false;
      await publisher;
      await soonEnough(() => expect([...confirmed].filter((id) => !got.has(id))).toEqual([]));
      await consuming.close();
      expect(losses).toHaveLength(1);
    },
  );

  test("hands a partition over in order when its active consumer's connection breaks", async () => {
    const proxy = await TcpProxy.to(server.port);
    const other = transportTo(proxy.port);
    await other.open();
    const active = await collect(other, queue, { prefetch: 50, acking: true });
    const standby = await collect(transport, queue, { prefetch: 50, acking: true });
    const numbers = Array.from({ length: 3_000 }, (_, index) => String(index).padStart(4, "0"));
    const publishing = transport.publish(toQueue(queue, ...numbers));
    await soonEnough(() => expect(active.deliveries.length).toBeGreaterThan(300));
    proxy.cut();
    expect(new Set(await publishing)).toEqual(new Set(["confirmed"]));
    await soonEnough(() => expect(standby.bodies().at(-1)).toBe(numbers.at(-1)));
    const [first = ""] = standby.bodies();
    expect(active.bodies()).toEqual(numbers.slice(0, active.deliveries.length));
    expect(standby.bodies()).toEqual(numbers.slice(Number(first)));
    expect(Number(first)).toBeLessThanOrEqual(active.deliveries.length);
    await other.close();
    proxy.close();
  });

  test("comes back when the broker closes its connections, and says why it went", async () => {
    const got = await collect(transport, queue);
    const reasons: string[] = [];
    transport.watch(({ reason }) => reasons.push(reason ?? "up"));
    await server.control("close_all_connections", "maintenance");
    await soonEnough(() => expect(reasons.at(-1)).toBe("up"));
    expect(reasons[0]).toContain("maintenance");
    expect(got.losses).toHaveLength(1);
    expect(got.losses[0]).toContain("maintenance");
    expect(await transport.publish(toQueue(queue, "1"))).toEqual(["confirmed"]);
  });

  test("publishes on a new channel, in order, after the broker has refused something", async () => {
    const full = `${prefix}.full`;
    await onBroker(server, async (channel) => {
      await channel.assertQueue(full, {
        arguments: { "x-queue-type": "quorum", "x-overflow": "reject-publish", "x-max-length": 1 },
      });
    });
    const [before] = await publishingChannels(server);
    expect(before).toBeDefined();
    const refused = async () =>
      expect(await transport.publish(toQueue(full, "1"))).toEqual(["failed"]);
    // A quorum queue takes a few more before it says that it is full.
    await soonEnough(refused);
    const numbers = Array.from({ length: 5_000 }, (_, index) => String(index));
    const got = await collect(transport, queue, { prefetch: 100, acking: true });
    const confirmations = await transport.publish(toQueue(queue, ...numbers));
    expect(new Set(confirmations)).toEqual(new Set(["confirmed"]));
    await soonEnough(() => expect(got.bodies()).toEqual(numbers));
    const after = await publishingChannels(server);
    expect(after).toHaveLength(1);
    expect(after).not.toContain(before);
  });

  test("tells a consumer whose queue is deleted, and only that one", async () => {
    const other = `${prefix}.q`;
    await declareQueues(transport, { name: other, kind: "work" });
    const lost = await collect(transport, queue);
    const kept = await collect(transport, other);
    await onBroker(server, (channel) => channel.deleteQueue(queue));
    await soonEnough(() => expect(lost.losses).toEqual([expect.stringContaining(queue)]));
    await transport.publish(toQueue(other, "1"));
    await soonEnough(() => expect(kept.bodies()).toEqual(["1"]));
    expect(kept.losses).toEqual([]);
    expect(await transport.publish(toQueue(queue, "2"))).toEqual(["returned"]);
    await lost.consumer.close();
  });

  test("makes a deleted queue anew, with its bindings, for whoever consumes it or asks for its depth", async () => {
    const bindings = [{ queue, exchange: "events", pattern: "x.*" } as const];
    await transport.declare({ queues: [{ name: queue, kind: "partition" }], bindings });
    await onBroker(server, (channel) => channel.deleteQueue(queue));
    expect(await transport.depth(queue)).toBe(0);
    await onBroker(server, (channel) => channel.deleteQueue(queue));
    const got = await collect(transport, queue);
    const event = { exchange: "events", routingKey: "x.y", message: messageOf("1") } as const;
    await transport.publish([event]);
    await soonEnough(() => expect(got.bodies()).toEqual(["1"]));
    await expect(transport.depth(`${prefix}.never`)).rejects.toMatchObject({
      code: "unknown-queue",
    });
  });

  test("goes on with delayed messages after the queue they come by was deleted", async () => {
    const got = await collect(transport, queue);
    await onBroker(server, (channel) => channel.deleteQueue(`${prefix}.delayed.engine`));
    // What was on its way is a hint that was lost; what comes later is not.
    await soonEnough(async () => {
      const [delayed] = toQueue(queue, "late").map((one) => ({ ...one, delayMs: 30 }));
      if (delayed) await transport.publish([delayed]);
      expect(got.bodies()).toContain("late");
    });
  });

  test("is blocked while the broker is short of memory, still acknowledges, and fails in time", async () => {
    const got = await collect(transport, queue);
    await transport.publish(toQueue(queue, "1"));
    await soonEnough(() => expect(got.deliveries).toHaveLength(1));
    await server.control("set_vm_memory_high_watermark", "0.00001");
    await soonEnough(async () => {
      await transport.publish(toQueue(queue, "2"));
      expect(transport.state().status).toBe("blocked");
    });
    expect(transport.state().reason).toContain("memory");
    expect(await transport.publish(toQueue(queue, "3"))).toEqual(["failed"]);
    got.consumer.ack(got.deliveries.slice());
    await server.control("set_vm_memory_high_watermark", "absolute", "1GB");
    await soonEnough(() => expect(transport.state()).toEqual({ status: "up" }));
    expect(await transport.publish(toQueue(queue, "4"))).toEqual(["confirmed"]);
    await got.consumer.close();
    const next = await collect(transport, queue);
    await soonEnough(() => expect(next.bodies()).toContain("4"));
    expect(next.bodies()).not.toContain("1");
  });

  test("notices a connection that has gone silent, and fails what waits for a confirm in time", async () => {
    const proxy = await TcpProxy.to(server.port);
    const limits = { heartbeatSeconds: 2, confirmDeadlineMs: 500, closeDeadlineMs: 100 };
    const behind = transportTo(proxy.port, limits);
    await behind.open();
    const got = await collect(behind, queue);
    proxy.freeze();
    expect(await behind.publish(toQueue(queue, "1"))).toEqual(["failed"]);
    expect(got.losses).toEqual([]);
    await soonEnough(() => expect(got.losses).toHaveLength(1));
    await soonEnough(() => expect(behind.state().status).toBe("up"));
    expect(await behind.publish(toQueue(queue, "2"))).toEqual(["confirmed"]);
    await behind.close();
    proxy.close();
  });

  test("makes a missing exchange and missing delay queues again, without losing its consumers", async () => {
    const got = await collect(transport, queue, { acking: true });
    const [delayed] = toQueue(queue, "delayed").map((one) => ({ ...one, delayMs: 50 }));
    if (delayed === undefined) throw new Error("there is one");
    expect(await transport.publish([delayed])).toEqual(["confirmed"]);
    await onBroker(server, async (channel) => {
      await channel.deleteExchange(`${prefix}.events`);
      await channel.deleteQueue(`${prefix}.delay.48`);
    });
    const event = { exchange: "events", routingKey: "x", message: messageOf("1") } as const;
    expect(await transport.publish([event])).toEqual(["failed"]);
    await soonEnough(async () => expect(await transport.publish([event])).toEqual(["confirmed"]));
    await soonEnough(async () => expect(await transport.publish([delayed])).toEqual(["confirmed"]));
    await soonEnough(() => expect(got.bodies()).toContain("delayed"));
    expect(got.losses).toEqual([]);
  });

  test("ends a consumer whose handler throws, and delivers the message again", async () => {
    const losses: string[] = [];
    await transport.consume({
      queue,
      prefetch: 10,
      deliver: () => {
        throw new Error("boom");
      },
      lost: (reason) => {
        losses.push(reason);
        throw new Error("boom again");
      },
    });
    transport.watch(() => {
      throw new Error("and again");
    });
    await transport.publish(toQueue(queue, "1"));
    await soonEnough(() => expect(losses).toEqual([expect.stringContaining("boom")]));
    const next = await collect(transport, queue);
    await soonEnough(() => expect(next.bodies()).toEqual(["1"]));
    expect(next.deliveries[0]?.redeliveries).toBe(1);
  });
});

/** Publishes in batches, those that fail again under the same ids, as long as it shall. */
async function publishUntil(
  running: { readonly on: boolean },
  to: { readonly transport: Transport; readonly queue: string; readonly confirmed: Set<string> },
): Promise<void> {
  for (let round = 0; running.on; round += 1) {
    const bodies = Array.from({ length: 20 }, (_, index) => `${round}-${index}`);
    const outcome = await to.transport.publish(toQueue(to.queue, ...bodies));
    for (const [index, body] of bodies.entries()) {
      if (outcome[index] === "confirmed") to.confirmed.add(body);
    }
    await sleep(systemClock, 10);
  }
}

/** Consumes, and begins again each time that the consumer is lost. */
function consumeAgain(
  transport: Transport,
  queue: string,
  seen: { readonly got: Set<string>; readonly losses: string[] },
): { close(): Promise<void> } {
  let closed = false;
  let current: Awaited<ReturnType<Transport["consume"]>> | undefined;
  async function start(): Promise<void> {
    while (!closed) {
      try {
        current = await transport.consume({
          queue,
          prefetch: 50,
          deliver: (delivery) => {
            seen.got.add(delivery.message.body);
            current?.ack([delivery]);
          },
          lost: (reason) => {
            seen.losses.push(reason);
            void start();
          },
        });
        return;
      } catch {
        await sleep(systemClock, 50);
      }
    }
  }
  void start();
  return {
    async close() {
      closed = true;
      await current?.close();
    },
  };
}

type Channel = Awaited<ReturnType<Awaited<ReturnType<typeof connect>>["createChannel"]>>;

/** What an operator might do, by a connection of its own. */
async function onBroker(
  server: RabbitMqServer,
  work: (channel: Channel) => Promise<unknown>,
): Promise<void> {
  const connection = await connect(server.url());
  await work(await connection.createChannel());
  await connection.close();
}
