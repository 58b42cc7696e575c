import { setTimeout as sleep } from "node:timers/promises";
import { freePort, RedisServer, type RedisServerOptions } from "./redis-server.ts";

const slots = 16_384;

export interface RedisClusterOptions extends RedisServerOptions {
  readonly masters?: number;
  /** Whether each master has a replica that takes its place. */
  readonly replicas?: boolean;
}

interface Node {
  readonly server: RedisServer;
  readonly busPort: number;
}

/** A Redis Cluster of this test alone, with an equal share of the slots for each master. */
export class RedisCluster {
  readonly masters: readonly RedisServer[];
  /** In the order of their masters. */
  readonly replicas: readonly RedisServer[];

  private constructor(masters: readonly RedisServer[], replicas: readonly RedisServer[]) {
    this.masters = masters;
    this.replicas = replicas;
  }

  static async start(options: RedisClusterOptions = {}): Promise<RedisCluster> {
    const { masters: count = 3, replicas = false, log = "everysec", settings = [] } = options;
    const nodes = await Promise.all(
      Array.from({ length: replicas ? 2 * count : count }, () => startNode({ log, settings })),
    );
    const servers = nodes.map(({ server }) => server);
    const cluster = new RedisCluster(servers.slice(0, count), servers.slice(count));
    try {
      await cluster.#join(nodes);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get servers(): readonly RedisServer[] {
    return [...this.masters, ...this.replicas];
  }

  /** Where a store finds it. */
  get url(): string {
    return `redis+cluster://${this.servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
  }

  /**
   * Moves the slot of this key to the next master, key by key with a pause after each, as resharding does.
   * All masters have to be up and to be masters still.
   */
  async move(key: string, { pauseMs }: { readonly pauseMs: number }): Promise<void> {
    const [first] = this.masters;
    const slot = Number(await first?.call("cluster", "keyslot", key));
    const from = Math.floor(slot / Math.ceil(slots / this.masters.length));
    const source = this.masters[from];
    const target = this.masters[(from + 1) % this.masters.length];
    if (source === undefined || target === undefined) throw new Error(`Nobody has slot ${slot}.`);
    const [sourceId, targetId] = [await idOf(source), await idOf(target)];
    await target.call("cluster", "setslot", slot, "importing", sourceId);
    await source.call("cluster", "setslot", slot, "migrating", targetId);
    for (;;) {
      const [one] = (await source.call("cluster", "getkeysinslot", slot, 1)) as string[];
      if (one === undefined) break;
      await source.call("migrate", "127.0.0.1", target.port, one, 0, 5_000);
      await sleep(pauseMs);
    }
    for (const server of [target, source]) {
      await server.call("cluster", "setslot", slot, "node", targetId);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  async #join(nodes: readonly Node[]): Promise<void> {
    const share = Math.ceil(slots / this.masters.length);
    for (const [index, master] of this.masters.entries()) {
      const last = Math.min(slots - 1, (index + 1) * share - 1);
      await master.call("cluster", "addslotsrange", index * share, last);
      // With equal epochs they would have to find out who is right, which takes long.
      await master.call("cluster", "set-config-epoch", index + 1);
    }
    const [first, ...others] = nodes;
    for (const { server, busPort } of others) {
      await first?.server.call("cluster", "meet", "127.0.0.1", server.port, busPort);
    }
    await this.#agree(`cluster_known_nodes:${nodes.length}`);
    for (const [index, replica] of this.replicas.entries()) {
      const master = this.masters[index];
      if (master) await replica.call("cluster", "replicate", await idOf(master));
    }
    await this.#agree("cluster_state:ok");
    for (const replica of this.replicas) {
      await eventually(async () => {
        return /master_link_status:up/.test(String(await replica.call("info", "replication")));
      });
    }
  }

  /** Waits until every node says this of the cluster. */
  async #agree(state: string): Promise<void> {
    for (const server of this.servers) {
      await eventually(async () => {
        return String(await server.call("cluster", "info")).includes(`${state}\r\n`);
      });
    }
  }
}

async function idOf(server: RedisServer): Promise<string> {
  return String(await server.call("cluster", "myid"));
}

async function startNode(options: RedisServerOptions): Promise<Node> {
  const busPort = await freePort();
  const cluster = ["--cluster-enabled", "yes", "--cluster-port", String(busPort)];
  const patience = ["--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0"];
  const settings = [...cluster, ...patience, ...(options.settings ?? [])];
  return { server: await RedisServer.start({ ...options, settings }), busPort };
}

/** Waits for what takes the servers a moment to find out. */
export async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (await isSo().catch(() => false)) return;
    await sleep(100);
  }
  throw new Error("The Redis servers did not come together within 40 s.");
}
