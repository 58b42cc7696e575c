import { Cluster, type ClusterOptions, Redis } from "ioredis";
import type { Ids } from "../../ids.ts";
import type { RedisAddress } from "./address.ts";

export type RedisClient = Redis | Cluster;

export interface ConnectOptions {
  /** Where the jitter of the pauses between attempts comes from. */
  readonly ids: Ids;
  /** How long a connection may say nothing while an answer is due. */
  readonly silenceMs: number;
}

/** A client that is not connected yet, and that tries again for ever once it is. */
export function createClient(address: RedisAddress, options: ConnectOptions): RedisClient {
  if (address.kind === "cluster") return createCluster(address, options);
  const retry = (attempt: number) => pauseMs(attempt, options.ids);
  const shared = { ...common(address, options), db: address.database, retryStrategy: retry };
  if (address.kind === "single") {
    return new Redis({ ...shared, ...address.nodes[0], enableOfflineQueue: false });
  }
  const sentinelTls = address.tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {};
  const { sentinelPassword } = address;
  return new Redis({
    ...shared,
    ...sentinelTls,
    ...(sentinelPassword !== "" && { sentinelPassword }),
    enableOfflineQueue: false,
    sentinels: [...address.nodes],
    name: address.master,
    sentinelRetryStrategy: retry,
    failoverDetector: true,
  });
}

function createCluster(address: RedisAddress, options: ConnectOptions): Cluster {
  return new Cluster([...address.nodes], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: (attempt) => pauseMs(attempt, options.ids),
    // Certificates name hosts; the default would look them up and connect to addresses.
    ...(address.tls && { dnsLookup: (host, found) => found(null, host) }),
    redisOptions: common(address, options),
  });
}

type Common = Omit<NonNullable<ClusterOptions["redisOptions"]>, "replyMapping">;

function common(address: RedisAddress, { silenceMs }: ConnectOptions): Common {
  const { username, password, tls } = address;
  return {
    lazyConnect: true,
    // A command that was sent twice was executed twice; what is repeated is decided above, by commit id.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    connectTimeout: 5_000,
    // A half-open connection would otherwise keep its commands for as long as TCP does.
    socketTimeout: silenceMs,
    // After a failover the old master is a replica that refuses writes.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
    protocol: 2,
    connectionName: "waybill",
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
  };
}

/** The pause before an attempt (the first is 1): 50 ms, doubled with every attempt up to 3 s, and of that half to all. */
export function pauseMs(attempt: number, ids: Ids): number {
  const longest = Math.min(3_000, 50 * 2 ** Math.min(attempt - 1, 10));
  const chance = Number.parseInt(ids.next().slice(-8), 16) / 0xffff_ffff;
  return Math.round(longest * (0.5 + chance / 2));
}
