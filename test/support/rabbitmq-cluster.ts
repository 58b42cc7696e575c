import { setTimeout as sleep } from "node:timers/promises";
import { newCookie, RabbitMqServer } from "./rabbitmq-server.ts";
import { freePort } from "./redis-server.ts";

const settings = [
  // Nodes that see no majority stop serving clients, who then go to the others.
  "cluster_partition_handling = pause_minority",
  // A node that says nothing for this many seconds is taken to be gone; the default is 60.
  "net_ticktime = 5",
  // Else whoever makes all queues has all their leaders on its own node.
  "queue_leader_locator = balanced",
];

/** Several RabbitMQ brokers that are one: quorum queues have a member on each of them. */
export class RabbitMqCluster {
  readonly nodes: readonly RabbitMqServer[];

  private constructor(nodes: readonly RabbitMqServer[]) {
    this.nodes = nodes;
  }

  static async start(size = 3): Promise<RabbitMqCluster> {
    const together = { mapper: await freePort(), cookie: newCookie() };
    const starting = Array.from({ length: size }, () =>
      RabbitMqServer.start({ together, settings }),
    );
    const started = await Promise.allSettled(starting);
    const nodes = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const cluster = new RabbitMqCluster(nodes);
    try {
      for (const one of started) if (one.status === "rejected") throw one.reason;
      await cluster.#join();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** All hosts, in the order in which a transport tries them. */
  url(user: "engine" | "guest" = "engine"): string {
    const hosts = this.nodes.map(({ port }) => `127.0.0.1:${port}`);
    return `amqp://${user}:${user}@${hosts.join(",")}`;
  }

  /** The queues that each node leads, in the order of `nodes`, as the node `asked` knows it. */
  async led(asked = this.nodes[0]): Promise<readonly (readonly string[])[]> {
    const text =
      (await asked?.control("list_queues", "--no-table-headers", "name", "leader")) ?? "";
    const rows = text.split("\n").map((line) => line.split("\t"));
    return this.nodes.map(({ nodeName }) =>
      rows.flatMap(([queue, leader]) => (leader === nodeName && queue ? [queue] : [])),
    );
  }

  /**
   * Resolves once all nodes see each other. On 3.10 a node that stood still and came back may share its tables with one of the
   * others only, so that they differ in who leads a queue: then it is restarted, as its operator would have to.
   */
  async heal(suspects: readonly RabbitMqServer[]): Promise<void> {
    for (let patience = 10; !(await this.#isWhole()); patience -= 1) {
      await sleep(500);
      if (patience !== 0) continue;
      process.stdout.write("  the nodes do not agree: those that stood still are restarted\n");
      for (const node of suspects) {
        await node.control("stop_app");
        await node.control("start_app");
      }
    }
  }

  async #isWhole(): Promise<boolean> {
    // Version 4 may keep its tables elsewhere.
    const ask =
      "case mnesia:system_info(is_running) of yes -> mnesia:system_info(running_db_nodes); _ -> rabbit_nodes:list_running() end.";
    const seen = await Promise.all(this.nodes.map((node) => node.control("eval", ask)));
    return seen.every((text) => this.nodes.every(({ nodeName }) => text.includes(nodeName)));
  }

  /** Ends all nodes, also frozen ones, and removes their data. */
  async stop(): Promise<void> {
    for (const node of this.nodes) node.signal("SIGKILL");
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async #join(): Promise<void> {
    const [first, ...others] = this.nodes;
    // One after the other: two that join at once refuse each other.
    await Promise.all(others.map((node) => node.control("stop_app")));
    for (const node of others) await node.control("join_cluster", first?.nodeName ?? "");
    await Promise.all(others.map((node) => node.control("start_app")));
  }
}
