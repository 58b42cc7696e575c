import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RabbitMqCluster } from "../../support/rabbitmq-cluster.ts";
import type { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { RedisServer } from "../../support/redis-server.ts";
import { Balancer } from "./balancer.ts";
import { ClusterLab, expectAllKept } from "./cluster-lab.ts";
import { engineNodeIn, killForAWhile, leaderIn } from "./strikes.ts";

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
    const node = await leaderIn(cluster, await engineNodeIn(cluster));
    await expectAllKept(lab, "broker leader killed", () => killForAWhile(lab, node));
  });

  test("when the leader of partition queues stands still", async () => {
    const node = await leaderIn(cluster, await engineNodeIn(cluster));
    await expectAllKept(lab, "broker leader frozen", () => freeze([node]));
  });

  test("when the node that the engines are connected to is killed", async () => {
    const node = await engineNodeIn(cluster);
    await expectAllKept(lab, "engines' broker killed", () => killForAWhile(lab, node));
  });

  test("when the node that the engines are connected to stands still", async () => {
    const node = await engineNodeIn(cluster);
    await expectAllKept(lab, "engines' broker frozen", () => freeze([node]));
  });

  test("when no majority is left for a while", async () => {
    const nodes = cluster.nodes.slice(0, 2);
    const { longest } = await expectAllKept(lab, "majority frozen", () => freeze(nodes));
    expect(longest).toBeGreaterThan(frozenMs / 2);
  });
});
