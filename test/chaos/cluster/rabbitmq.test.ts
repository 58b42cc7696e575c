import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RabbitMqCluster } from "../../support/rabbitmq-cluster.ts";
import type { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { RedisServer } from "../../support/redis-server.ts";
import { Balancer } from "./balancer.ts";
import { ClusterLab, expectAllKept } from "./cluster-lab.ts";

/** Longer than nodes and clients take to find out that a node does not answer. */
const frozenMs = 12_000;

let cluster: RabbitMqCluster;
let redis: RedisServer;
let balancer: Balancer;
let lab: ClusterLab;
/** Those that stood still in the scene before. */
let thawed: readonly RabbitMqServer[] = [];

beforeAll(async () => {
  [cluster, redis] = await Promise.all([
    RabbitMqCluster.start(),
    RedisServer.start({ log: "always" }),
  ]);
  balancer = await Balancer.to(cluster.nodes.map(({ port }) => port));
  const outside = `amqp://guest:guest@127.0.0.1:${balancer.port}`;
  lab = new ClusterLab({ broker: cluster.url(), store: redis.url, outside });
  await lab.open();
}, 180_000);
afterAll(async () => {
  await lab?.close();
  balancer?.close();
  await Promise.all([cluster?.stop(), redis?.stop()]);
}, 60_000);

/** The node with the engines' connections: that of the first connection of theirs. */
async function engineNode(): Promise<RabbitMqServer> {
  for (const node of cluster.nodes) {
    const text = await node.control("list_connections", "user", "pid");
    const pid = /^engine\t<([^.]+)\./m.exec(text)?.[1];
    const found = cluster.nodes.find(({ nodeName }) => nodeName === pid);
    if (found) return found;
  }
  throw new Error("no connection of an engine was found");
}

/** The node that leads most partition queues, other than this one. */
async function leader(apartFrom: RabbitMqServer): Promise<RabbitMqServer> {
  const led = await cluster.led(apartFrom);
  const [best] = cluster.nodes
    .map((node, index) => ({ node, count: partitionsIn(led[index] ?? []) }))
    .filter(({ node, count }) => node !== apartFrom && count > 0)
    .toSorted((one, other) => other.count - one.count);
  if (best === undefined) throw new Error("no other node leads a partition queue");
  return best.node;
}

function partitionsIn(queues: readonly string[]): number {
  return queues.filter((name) => /\.p\.\d+$/.test(name)).length;
}

async function killAndRestart(node: RabbitMqServer): Promise<number> {
  const since = performance.now();
  await node.kill();
  try {
    await lab.pulses.until(since, 60_000);
  } finally {
    await node.run();
  }
  return since;
}

async function freeze(nodes: readonly RabbitMqServer[]): Promise<number> {
  const since = performance.now();
  for (const node of nodes) node.signal("SIGSTOP");
  await sleep(frozenMs);
  for (const node of nodes) node.signal("SIGCONT");
  thawed = nodes;
  return since;
}

beforeEach(() => cluster.heal(thawed), 120_000);

describe("on a RabbitMQ cluster of three nodes everything is kept", () => {
  test("in calm", async () => {
    await expectAllKept(lab, "calm", async () => performance.now());
  });

  test.each([1, 2])("when the leader of partition queues is killed (%i)", async () => {
    const node = await leader(await engineNode());
    await expectAllKept(lab, "broker leader killed", () => killAndRestart(node));
  });

  test("when the leader of partition queues stands still", async () => {
    const node = await leader(await engineNode());
    await expectAllKept(lab, "broker leader frozen", () => freeze([node]));
  });

  test("when the node that the engines are connected to is killed", async () => {
    const node = await engineNode();
    await expectAllKept(lab, "engines' broker killed", () => killAndRestart(node));
  });

  test("when the node that the engines are connected to stands still", async () => {
    const node = await engineNode();
    await expectAllKept(lab, "engines' broker frozen", () => freeze([node]));
  });

  test("when no majority is left for a while", async () => {
    const nodes = cluster.nodes.slice(0, 2);
    const { longest } = await expectAllKept(lab, "majority frozen", () => freeze(nodes));
    expect(longest).toBeGreaterThan(frozenMs / 2);
  });
});
