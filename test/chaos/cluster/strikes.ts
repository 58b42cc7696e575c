import type { RabbitMqCluster } from "../../support/rabbitmq-cluster.ts";
import type { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import type { ClusterLab } from "./cluster-lab.ts";

/** Kills a server, and starts it again once work goes on without it; answers when it was killed. */
export async function killForAWhile(
  { pulses }: Pick<ClusterLab, "pulses">,
  server: { kill(): Promise<void>; run(): Promise<void> },
): Promise<number> {
  const since = performance.now();
  await server.kill();
  try {
    await pulses.until(since, 60_000);
  } finally {
    await server.run();
  }
  return since;
}

/** The node with the engines' connections: that of the first connection of theirs. */
export async function engineNodeIn({ nodes }: RabbitMqCluster): Promise<RabbitMqServer> {
  for (const node of nodes) {
    const text = await node.control("list_connections", "user", "pid");
    const pid = /^engine\t<([^.]+)\./m.exec(text)?.[1];
    const found = nodes.find(({ nodeName }) => nodeName === pid);
    if (found) return found;
  }
  throw new Error("no connection of an engine was found");
}

/** The node that leads most partition queues, if need be other than this one. */
export async function leaderIn(
  cluster: RabbitMqCluster,
  apart?: RabbitMqServer,
): Promise<RabbitMqServer> {
  const led = await cluster.led(apart);
  const [best] = cluster.nodes
    .map((node, index) => ({ node, count: partitionsIn(led[index] ?? []) }))
    .filter(({ node, count }) => node !== apart && count > 0)
    .toSorted((one, other) => other.count - one.count);
  if (best === undefined) throw new Error("no such node leads a partition queue");
  return best.node;
}

function partitionsIn(queues: readonly string[]): number {
  return queues.filter((name) => /\.p\.\d+$/.test(name)).length;
}
