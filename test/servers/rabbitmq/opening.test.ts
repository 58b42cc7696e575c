import { Socket } from "node:net";
import { connect } from "amqplib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { RabbitMqTransport } from "../../../transports/rabbitmq/transport.ts";
import { collect, declareQueues, toQueue } from "../../contracts/transport-lab.ts";
import { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { freePort } from "../../support/redis-server.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { freshPrefix, optionsFor, soonEnough } from "./lab.ts";

describe("opening the RabbitMQ transport", () => {
  let server: RabbitMqServer;
  let prefix: string;
  const opened: RabbitMqTransport[] = [];

  function transportAt(url: string): RabbitMqTransport {
    const transport = new RabbitMqTransport(optionsFor(url, prefix, { firstRetryMs: 20 }));
    opened.push(transport);
    return transport;
  }

  beforeAll(async () => {
    server = await RabbitMqServer.start();
  }, 120_000);
  afterAll(() => server.stop(), 120_000);
  beforeEach(() => {
    prefix = freshPrefix();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close()));
  });

  test("fails with a clear word on a wrong password, and does not show it", async () => {
    const transport = transportAt(`amqp://engine:sesame@127.0.0.1:${server.port}`);
    const opening = transport.open();
    await expect(opening).rejects.toMatchObject({ code: "login-refused" });
    await expect(opening).rejects.toThrow('user "engine"');
    await expect(opening).rejects.not.toThrow("sesame");
    expect(transport.state().reason).toContain("login");
  });

  test("fails with a clear word on an unknown vhost", async () => {
    const opening = transportAt(`${server.url()}/nowhere`).open();
    await expect(opening).rejects.toMatchObject({ code: "vhost-refused" });
    await expect(opening).rejects.toThrow('vhost "nowhere"');
  });

  test("goes on trying until the broker can be reached", async () => {
    const proxy = await TcpProxy.to(server.port);
    proxy.cut();
    const transport = transportAt(server.url("engine", proxy.port));
    const opening = transport.open();
    await soonEnough(() => expect(transport.state().reason).toContain("cannot be reached"));
    proxy.restore();
    await opening;
    expect(transport.state()).toEqual({ status: "up" });
    proxy.close();
  });

  test("comes back while its reply queue is still locked, as by a node of a cluster that died", async () => {
    const proxy = await TcpProxy.to(server.port);
    const transport = transportAt(server.url("engine", proxy.port));
    await transport.open();
    const [name, queue] = [`${prefix}.reply`, `${prefix}.p`];
    const reply = { name, kind: "reply" } as const;
    await declareQueues(transport, reply, { name: queue, kind: "partition" });
    proxy.cut();
    const other = await connect(server.url());
    const channel = await other.createChannel();
    await soonEnough(async () => {
      await channel.assertQueue(name, { durable: false, exclusive: true });
    });
    proxy.restore();
    await soonEnough(() => expect(transport.state()).toEqual({ status: "up" }));
    expect(await transport.publish(toQueue(queue, "1"))).toEqual(["confirmed"]);
    await expect(declareQueues(transport, reply)).rejects.toMatchObject({ code: "queue-locked" });
    await other.close();
    await soonEnough(() => declareQueues(transport, reply));
    proxy.close();
  });

  test("ends its trying when it is closed", async () => {
    const transport = transportAt(`amqp://engine:engine@127.0.0.1:${await freePort()}`);
    const opening = transport.open().catch((error: unknown) => error);
    await soonEnough(() => expect(transport.state().reason).toContain("ECONNREFUSED"));
    await transport.close();
    expect(await opening).toMatchObject({ code: "unavailable" });
  });

  test("gives up a host that accepts and says nothing, and takes the next one", async () => {
    const silent = await TcpProxy.to(await freePort());
    const url = `amqp://engine:engine@127.0.0.1:${silent.port},127.0.0.1:${server.port}`;
    const transport = transportAt(url);
    await transport.open();
    expect(transport.state()).toEqual({ status: "up" });
    silent.close();
  });

  test("names queue and argument when a queue exists as another kind", async () => {
    const transport = transportAt(server.url());
    await transport.open();
    const name = `${prefix}.q`;
    await declareQueues(transport, { name, kind: "work" });
    const again = declareQueues(transport, { name, kind: "partition" });
    await expect(again).rejects.toMatchObject({
      code: "queue-mismatch",
      details: { name, argument: "x-single-active-consumer" },
    });
    await expect(again).rejects.toThrow(`queue "${name}" exists with another`);
    const unknown = { queue: `${prefix}.none`, exchange: "events", pattern: "#" } as const;
    await expect(transport.declare({ queues: [], bindings: [unknown] })).rejects.toMatchObject({
      code: "unknown-queue",
    });
  });

  test("returns what AMQP has no room for, and carries what comes after it", async () => {
    const transport = transportAt(server.url());
    await transport.open();
    const name = `${prefix}.q`;
    await declareQueues(transport, { name, kind: "work" });
    const long = {
      exchange: "",
      routingKey: name,
      message: { id: "ü".repeat(200), body: "1" },
    } as const;
    const batch = [long, ...toQueue(name, "2"), ...toQueue("q".repeat(256), "3")];
    expect(await transport.publish(batch)).toEqual(["returned", "confirmed", "returned"]);
  });

  test("keeps milliseconds, and drops headers that are no text", async () => {
    const transport = transportAt(server.url());
    await transport.open();
    const name = `${prefix}.q`;
    await declareQueues(transport, { name, kind: "work" });
    const message = { body: "1", timestamp: 1_763_800_000_987 };
    await transport.publish([{ exchange: "", routingKey: name, message }]);
    const got = await collect(transport, name);
    await soonEnough(() => expect(got.deliveries).toHaveLength(1));
    expect(got.deliveries[0]?.message).toEqual({ ...message, userId: "engine" });
  });

  test("does not let the connection wait to fill its packets", async () => {
    const asked = vi.spyOn(Socket.prototype, "setNoDelay");
    await transportAt(server.url()).open();
    expect(asked.mock.calls).toEqual([[true], [true]]);
    asked.mockRestore();
  });
});
