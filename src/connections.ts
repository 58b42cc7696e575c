import { resolve } from "node:path";
import { sleep, systemClock } from "./clock.ts";
import type { Configuration } from "./configuration.ts";
import type { Endurance } from "./engine/health/facts.ts";
import { WaybillError } from "./errors.ts";
import { systemIds } from "./ids.ts";
import type { Durability, Store } from "./store.ts";
import type { Transport } from "./transport.ts";

/** What a process shares: one store, and a broker that gives out connections. */
export interface Connections {
  readonly store: Store;
  /** A new connection, not opened yet, under the name that the broker stamps on its messages. */
  connect(user: string): Transport;
  /** What outlives a crash, by what was found out about the servers. */
  durability(): Endurance;
  /** Lets go; the last one to do so closes what is shared. */
  close(): Promise<void>;
}

interface Shared {
  readonly opened: Promise<
    Pick<Connections, "store" | "connect"> & {
      readonly broker: Durability;
      /** What an operator should change about the store. */
      readonly advice?: () => readonly string[];
      readonly end: () => Promise<void>;
    }
  >;
  users: number;
}

/** Engines, clients and workers of one process that name the same store share it, as one file has one user. */
const shared = new Map<string, Shared>();

/**
 * Opens the broker and the store that a configuration names; only their own adapters are loaded.
 * @throws WaybillError `store-in-use`, `partition-count`, `store-unreadable`
 */
export async function openConnections(configuration: Configuration): Promise<Connections> {
  const id = identity(configuration);
  const entry = shared.get(id) ?? { opened: open(configuration), users: 0 };
  shared.set(id, entry);
  entry.users += 1;
  let closed = false;
  const leave = async () => {
    if (closed) return;
    closed = true;
    entry.users -= 1;
    if (entry.users > 0) return;
    if (shared.get(id) === entry) shared.delete(id);
    await entry.opened.then(({ end }) => end());
  };
  try {
    const { store, connect, broker, advice = () => [] } = await entry.opened;
    // The number of partitions is checked for each user, not only for the first.
    await store.open({ partitions: configuration.partitions });
    const durability = () => ({ store: store.durability(), broker, advice: advice() });
    return { store, connect, durability, close: leave };
  } catch (error) {
    await leave().catch(() => undefined);
    throw error;
  }
}

const storeRetryMs = 1_000;

/**
 * The same, but tries again for as long as the store cannot be reached, and tells why each time.
 * @throws WaybillError `stopped` after the signal, and what waiting does not help against
 */
export async function openPatiently(
  configuration: Configuration,
  { signal, tell }: { readonly signal: AbortSignal; readonly tell: (reason: string) => void },
): Promise<Connections> {
  for (;;) {
    const connections = await openConnections(configuration).catch((error: unknown) => {
      if (!(error instanceof WaybillError) || error.code !== "store-unavailable") throw error;
      tell(error.message);
      return undefined;
    });
    if (signal.aborted) {
      await connections?.close();
      throw stopped();
    }
    if (connections !== undefined) return connections;
    await sleep(systemClock, storeRetryMs);
  }
}

function stopped(): WaybillError {
  return new WaybillError({
    code: "stopped",
    message: "It was stopped before it could reach broker and store.",
    action: "Start it again.",
  });
}

function identity({ broker, store, prefix, partitions }: Configuration): string {
  const place = store.startsWith("sqlite:")
    ? resolve(store.slice("sqlite:".length))
    : `${store} ${prefix}`;
  return `${broker} ${place} ${partitions}`;
}

function open(configuration: Configuration): Shared["opened"] {
  if (configuration.broker === "memory:") return openMemory();
  return configuration.broker === "embedded:"
    ? openEmbedded(configuration)
    : openServers(configuration);
}

/** RabbitMQ, and Redis or a file that this process alone has. */
async function openServers({
  broker: url,
  store: storeUrl,
  prefix,
}: Configuration): Promise<Awaited<Shared["opened"]>> {
  const [{ RabbitMqTransport }, { store, advice }] = await Promise.all([
    import("../transports/rabbitmq/transport.ts"),
    storeUrl.startsWith("sqlite:") ? openFileStore(storeUrl) : openRedis(storeUrl, prefix),
  ]);
  return {
    store,
    advice,
    // Quorum queues sync what they confirm.
    broker: "fsync",
    // The broker knows its users by their credentials, so every connection is under the URL's own.
    connect: () => new RabbitMqTransport({ url, prefix, clock: systemClock, ids: systemIds }),
    end: () => store.close(),
  };
}

type Advised = { readonly store: Store; readonly advice: () => readonly string[] };

async function openRedis(url: string, prefix: string): Promise<Advised> {
  const { RedisStore } = await import("./stores/redis/store.ts");
  const store = new RedisStore({ url, prefix, clock: systemClock, ids: systemIds });
  return { store, advice: () => store.warnings() };
}

async function openFileStore(url: string): Promise<Advised> {
  const [{ SqliteFile }, { SqliteStore }] = await Promise.all([
    import("./sqlite-file.ts"),
    import("./stores/sqlite/store.ts"),
  ]);
  const file = new SqliteFile(url.slice("sqlite:".length), { clock: systemClock });
  return { store: new SqliteStore(file, { clock: wallClock }), advice: () => [] };
}

async function openMemory(): Promise<Awaited<Shared["opened"]>> {
  const [{ MemoryBroker }, { MemoryTransport }, { MemoryStore }, { emptyStoreData }] =
    await Promise.all([
      import("../transports/memory/broker.ts"),
      import("../transports/memory/transport.ts"),
      import("./stores/memory/store.ts"),
      import("./stores/memory/store-data.ts"),
    ]);
  const broker = new MemoryBroker({ clock: systemClock });
  const store = new MemoryStore(emptyStoreData(), { clock: wallClock });
  return {
    store,
    broker: "memory",
    connect: (user) => new MemoryTransport(broker, { user }),
    end: async () => {
      broker.close();
      await store.close();
    },
  };
}

async function openEmbedded({ store: url }: Configuration): Promise<Awaited<Shared["opened"]>> {
  const [{ SqliteFile }, { SqliteStore }, { openEmbeddedBroker }] = await Promise.all([
    import("./sqlite-file.ts"),
    import("./stores/sqlite/store.ts"),
    import("../transports/embedded/broker.ts"),
  ]);
  const file = new SqliteFile(url.slice("sqlite:".length), { clock: systemClock });
  const broker = openEmbeddedBroker(file, { clock: systemClock });
  const store = new SqliteStore(file, { clock: wallClock });
  return {
    store,
    // Its queues are rows of the same file.
    broker: store.durability(),
    connect: (user) => broker.connect({ user }),
    end: async () => {
      await store.close();
      await broker.close();
    },
  };
}

const wallClock = { now: () => systemClock.wall() };
