import { eventually } from "./redis-cluster.ts";
import { RedisServer, type RedisServerOptions } from "./redis-server.ts";

export interface RedisSentinelOptions extends RedisServerOptions {
  readonly replicas?: number;
  /** More than half of them have to agree that the master is gone. */
  readonly sentinels?: number;
}

/** A master, its replicas, and Sentinels that put a replica in its place. */
export class RedisSentinel {
  /** The first of them is the master at the beginning. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];

  private constructor(servers: readonly RedisServer[], sentinels: readonly RedisServer[]) {
    this.servers = servers;
    this.sentinels = sentinels;
  }

  static async start(options: RedisSentinelOptions = {}): Promise<RedisSentinel> {
    const { replicas = 2, sentinels: count = 3, log = "always", settings = [] } = options;
    const quick = ["--repl-diskless-sync-delay", "0", ...settings];
    const master = await RedisServer.start({ log, settings: quick });
    const following = [...quick, "--replicaof", "127.0.0.1", String(master.port)];
    const starting = Array.from({ length: replicas }, () =>
      RedisServer.start({ log, settings: following }),
    );
    const servers = [master, ...(await Promise.all(starting))];
    const quorum = Math.floor(count / 2) + 1;
    const sentinels = await Promise.all(
      Array.from({ length: count }, () => RedisServer.sentinel(master.port, quorum)),
    );
    const all = new RedisSentinel(servers, sentinels);
    try {
      await all.#know();
    } catch (error) {
      await all.stop();
      throw error;
    }
    return all;
  }

  /** Where a store finds it. */
  get url(): string {
    const hosts = this.sentinels.map(({ port }) => `127.0.0.1:${port}`);
    return `redis+sentinel://${hosts.join(",")}/mymaster`;
  }

  /** The server that the Sentinels send clients to, as the first of them sees it. */
  async master(): Promise<RedisServer> {
    const [sentinel] = this.sentinels;
    const reply = await sentinel?.call("sentinel", "get-master-addr-by-name", "mymaster");
    const port = Number((reply as readonly unknown[])[1]);
    const found = this.servers.find((server) => server.port === port);
    if (found === undefined) throw new Error(`No server has the port ${port}.`);
    return found;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server.stop()));
  }

  /** Each Sentinel asks the master for its replicas, and hears of the others, now and then. */
  async #know(): Promise<void> {
    const replicas = this.servers.length - 1;
    const all = new RegExp(`status=ok,.*slaves=${replicas},sentinels=${this.sentinels.length}`);
    for (const sentinel of this.sentinels) {
      await eventually(async () => all.test(String(await sentinel.call("info", "sentinel"))));
    }
    const [master] = this.servers;
    await eventually(async () => {
      const info = String(await master?.call("info", "replication"));
      return info.match(/state=online/g)?.length === replicas;
    });
  }
}
