import { RabbitMqCluster } from "../../support/rabbitmq-cluster.ts";
import { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { RedisSentinel } from "../../support/redis-sentinel.ts";
import { RedisServer } from "../../support/redis-server.ts";
import { type Times, tableOf } from "../times.ts";
import { Balancer } from "./balancer.ts";
import { ClusterLab } from "./cluster-lab.ts";
import { killForAWhile, leaderIn } from "./strikes.ts";

/** The servers of a lab, and what happens to them. */
interface Place {
  readonly name: string;
  readonly lab: ClusterLab;
  /** Answers since when to look for silence. */
  readonly strike: () => Promise<number>;
  readonly close: () => Promise<unknown>;
}

/** Measures how long the partition that waits longest stands still when a node is lost that others replace; prints a table. */
export async function measureFailovers(rounds: number): Promise<void> {
  const measured: Times[] = [];
  for (const open of [openCluster, openSentinel]) {
    const { name, lab, strike, close } = await open();
    try {
      measured.push({ name, timesMs: await measure({ name, lab, strike }, rounds) });
    } finally {
      await lab.close();
      await close();
    }
  }
  process.stdout.write(tableOf(measured));
}

async function measure(
  { name, lab, strike }: Pick<Place, "name" | "lab" | "strike">,
  rounds: number,
): Promise<readonly number[]> {
  const timesMs: number[] = [];
  await lab.open();
  while (timesMs.length < rounds) {
    await lab.pulses.start();
    const since = await strike();
    await lab.pulses.until(performance.now(), 60_000);
    const { median, longest } = lab.pulses.silence(since);
    await lab.pulses.stop();
    timesMs.push(longest);
    process.stderr.write(`${name}: ${longest} ms, median of the partitions ${median} ms\n`);
  }
  return timesMs;
}

async function openCluster(): Promise<Place> {
  const [cluster, redis] = await Promise.all([
    RabbitMqCluster.start(),
    RedisServer.start({ log: "always" }),
  ]);
  const balancer = await Balancer.to(cluster.nodes.map(({ port }) => port));
  const outside = `amqp://guest:guest@127.0.0.1:${balancer.port}`;
  const lab = new ClusterLab({ broker: cluster.url(), store: redis.url, outside });
  const strike = async () => {
    await cluster.heal([]);
    return killForAWhile(lab, await leaderIn(cluster));
  };
  const close = () => {
    balancer.close();
    return Promise.all([cluster.stop(), redis.stop()]);
  };
  return { name: "leader of a RabbitMQ cluster killed", lab, strike, close };
}

async function openSentinel(): Promise<Place> {
  const [broker, redis] = await Promise.all([RabbitMqServer.start(), RedisSentinel.start()]);
  const store = `${redis.url}?replicas=1`;
  const lab = new ClusterLab({ broker: broker.url(), store, outside: broker.url("guest") });
  const strike = async () => killForAWhile(lab, await redis.master());
  const close = () => Promise.all([broker.stop(), redis.stop()]);
  return { name: "Redis master killed, Sentinel", lab, strike, close };
}
