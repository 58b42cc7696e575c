import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Transport } from "../../src/transport.ts";
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

export function transportLifeContract(create: TransportFactory): void {
  let lab: TransportLab;
  let transport: Transport;
  let other: Transport;
  let queue: string;
  let reply: string;

  beforeEach(async () => {
    lab = await create();
    queue = `${lab.prefix}.p`;
    reply = `${lab.prefix}.reply`;
    transport = await opened(lab);
    other = await opened(lab);
    await declareQueues(transport, { name: queue, kind: "partition" });
  });
  afterEach(() => lab.dispose());

  describe("declaring", () => {
    test("leaves alone what exists already with the same kind", async () => {
      await transport.publish(toQueue(queue, "1"));
      const pattern = `${lab.prefix}.#`;
      const binding = { queue, exchange: "events", pattern } as const;
      const topology = {
        queues: [{ name: queue, kind: "partition" }],
        bindings: [binding],
      } as const;
      await transport.declare(topology);
      await other.declare(topology);
      const message = { body: "2" };
      await other.publish([{ exchange: "events", routingKey: `${lab.prefix}.x`, message }]);
      const got = await collect(transport, queue);
      await eventually(() => expect(got.bodies()).toEqual(["1", "2"]));
    });
  });

  describe("a reply queue", () => {
    test("takes answers from others and dies with its process", async () => {
      await declareQueues(transport, { name: reply, kind: "reply" });
      const got = await collect(transport, reply, { acking: true });
      expect(await other.publish(toQueue(reply, "answer"))).toEqual(["confirmed"]);
      await eventually(() => expect(got.bodies()).toEqual(["answer"]));
      await transport.close();
      await eventually(async () => {
        expect(await other.publish(toQueue(reply, "too late"))).toEqual(["returned"]);
      });
    });
  });

  describe("the state", () => {
    test("is up between opening and closing, and watchers hear of each change", async () => {
      const fresh = lab.connect("engine");
      const heard: string[] = [];
      const deaf: string[] = [];
      fresh.watch((state) => heard.push(state.status));
      fresh.watch((state) => deaf.push(state.status))();
      expect(fresh.state().status).toBe("down");
      await fresh.open();
      expect(fresh.state()).toEqual({ status: "up" });
      await fresh.close();
      await fresh.close();
      expect(fresh.state().status).toBe("down");
      expect(fresh.state().reason).toBeTruthy();
      expect(heard).toEqual(["up", "down"]);
      expect(deaf).toEqual([]);
    });
  });

  describe("closing", () => {
    test("loses nothing that its consumers held", async () => {
      const got = await collect(transport, queue);
      await transport.publish(toQueue(queue, "1", "2"));
      await eventually(() => expect(got.deliveries).toHaveLength(2));
      await transport.close();
      const next = await collect(other, queue);
      await eventually(() => expect(next.bodies()).toEqual(["1", "2"]));
    });

    test("keeps what was acknowledged before it", async () => {
      const got = await collect(transport, queue);
      await transport.publish(toQueue(queue, "1", "2"));
      await eventually(() => expect(got.deliveries).toHaveLength(2));
      got.consumer.ack(got.deliveries.slice(0, 1));
      await transport.close();
      const next = await collect(other, queue);
      await eventually(() => expect(next.bodies()).toEqual(["2"]));
    });

    test("hands out nothing afterwards, and twice does no harm", async () => {
      const got = await collect(transport, queue);
      await transport.close();
      await transport.close();
      await other.publish(toQueue(queue, "1"));
      await quietWhile();
      expect(got.bodies()).toEqual([]);
    });
  });

  describe("a connection that breaks", () => {
    test("tells its consumers once that they are lost, and others get what they held", async () => {
      const got = await collect(transport, queue);
      const standby = await collect(other, queue);
      await transport.publish(toQueue(queue, "1", "2"));
      await eventually(() => expect(got.deliveries).toHaveLength(2));
      await lab.sever(transport);
      await eventually(() => expect(standby.bodies()).toEqual(["1", "2"]));
      await eventually(() => expect(got.losses).toHaveLength(1));
      got.consumer.ack(got.deliveries);
      await got.consumer.close();
      await quietWhile();
      expect(got.losses).toHaveLength(1);
      expect(got.losses[0]).toBeTruthy();
      expect(standby.deliveries.every(({ redeliveries }) => redeliveries === 1)).toBe(true);
    });

    test("says so, comes back by itself and makes its topology exist again", async () => {
      await declareQueues(transport, { name: reply, kind: "reply" });
      const heard: string[] = [];
      transport.watch(({ status }) => heard.push(status));
      await lab.sever(transport);
      await eventually(() => expect(heard).toContain("down"));
      await lab.restore(transport);
      await eventually(() => expect(heard.at(-1)).toBe("up"));
      const got = await collect(transport, reply);
      expect(await other.publish(toQueue(reply, "still there"))).toEqual(["confirmed"]);
      await eventually(() => expect(got.bodies()).toEqual(["still there"]));
    });
  });
}
