import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../../src/clock.ts";
import { SqliteFile } from "../../src/sqlite-file.ts";
import type { Store } from "../../src/store.ts";
import { MemoryStore } from "../../src/stores/memory/store.ts";
import { emptyStoreData, type MemoryStoreData } from "../../src/stores/memory/store-data.ts";
import { SqliteStore } from "../../src/stores/sqlite/store.ts";
import type { Outgoing } from "../../src/transport.ts";
import { type EmbeddedBroker, openEmbeddedBroker } from "../../transports/embedded/broker.ts";
import { MemoryBroker } from "../../transports/memory/broker.ts";
import type { MemoryTransport } from "../../transports/memory/transport.ts";
import { MemoryTransport as Connection } from "../../transports/memory/transport.ts";

/** What outlives the engines of one test: a broker, the stored data, and their common time. */
export interface World {
  readonly clock: Clock;
  /** Milliseconds by the store's clock. */
  now(): number;
  /** Lets the store's clock jump, as if nothing had run for so long. */
  skip(durationMs: number): void;
  /** A connection that is open, under the name that the broker stamps on what it publishes. */
  connect(user: string): Promise<MemoryTransport>;
  /** The store as one process sees it. */
  store(): Store;
  end(): Promise<void>;
}

/** Broker and store in memory; several engines may share them. Time passes `speed` times as fast as outside. */
export function memoryWorld({ speed = 1 }: { readonly speed?: number } = {}): World & {
  readonly data: MemoryStoreData;
} {
  const clock = fastClock(speed);
  const broker = new MemoryBroker({ clock });
  const data = emptyStoreData();
  const time = storeTime(clock);
  return {
    ...time,
    clock,
    data,
    connect: (user) => opened(new Connection(broker, { user })),
    store: () => new MemoryStore(data, { clock: time }),
    end: async () => undefined,
  };
}

/** Broker and store in one SQLite file of a folder of its own. `restart` is what a new process would find. */
export async function embeddedWorld(): Promise<World & { restart(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "engine-"));
  const path = join(folder, "waybill.db");
  const clock = fastClock(1);
  const time = storeTime(clock);
  let file = new SqliteFile(path, { clock });
  let broker: EmbeddedBroker = openEmbeddedBroker(file, { clock });
  let store = new SqliteStore(file, { clock: time });
  const close = async () => {
    await store.close();
    await broker.close();
  };
  return {
    ...time,
    clock,
    connect: (user) => opened(broker.connect({ user })),
    store: () => store,
    async restart() {
      await close();
      file = new SqliteFile(path, { clock });
      broker = openEmbeddedBroker(file, { clock });
      store = new SqliteStore(file, { clock: time });
    },
    async end() {
      await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Publishes as an outsider does, and gathers what the topic exchange brings under a pattern. */
export interface Outsider {
  publish(outgoing: Partial<Outgoing> & Pick<Outgoing, "message">): Promise<void>;
  gather(pattern: string): Promise<Outgoing["message"][]>;
}

/** A client of the broker that is not one of ours. */
export async function outsider(world: World, user = "shop"): Promise<Outsider> {
  const connection = await world.connect(user);
  return {
    async publish(outgoing) {
      await connection.publish([{ exchange: "inbound", routingKey: "", ...outgoing }]);
    },
    async gather(pattern) {
      const queue = `${user}.${pattern}`;
      const gathered: Outgoing["message"][] = [];
      await connection.declare({
        queues: [{ name: queue, kind: "work" }],
        bindings: [{ queue, exchange: "events", pattern }],
      });
      const consumer = await connection.consume({
        queue,
        prefetch: 1_000,
        deliver(delivery) {
          gathered.push(delivery.message);
          consumer.ack([delivery]);
        },
        lost() {},
      });
      return gathered;
    },
  };
}

async function opened(connection: MemoryTransport): Promise<MemoryTransport> {
  await connection.open();
  return connection;
}

function fastClock(speed: number): Clock {
  const began = systemClock.wall();
  return {
    monotonic: () => systemClock.monotonic() * speed,
    wall: () => began + (systemClock.wall() - began) * speed,
    after: (delayMs, task) => systemClock.after(delayMs / speed, task),
    soon: (task) => systemClock.soon(task),
  };
}

function storeTime(clock: Clock): Pick<World, "now" | "skip"> {
  let skippedMs = 0;
  return {
    now: () => Math.floor(clock.wall() + skippedMs),
    skip(durationMs) {
      skippedMs += durationMs;
    },
  };
}
