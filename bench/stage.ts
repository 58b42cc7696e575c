import { setTimeout as sleep } from "node:timers/promises";
import { RabbitMqServer } from "../test/support/rabbitmq-server.ts";
import { RedisServer } from "../test/support/redis-server.ts";

/** What Redis promises of what it has answered: on the disk at once, or within a second. */
export type Aof = "always" | "everysec";

/** A broker and a store of this run alone. */
export interface Stage {
  readonly broker: string;
  readonly store: string;
  /** What the store keeps in memory, in bytes, once nothing moves any more: it may be asked when all has been heard. */
  storeBytes(): Promise<number>;
  close(): Promise<void>;
}

export async function openStage(aof: Aof): Promise<Stage> {
  const redis = await RedisServer.start({ log: aof });
  const rabbit = await RabbitMqServer.start();
  return {
    broker: rabbit.url(),
    store: redis.url,
    async storeBytes() {
      // What was sent leaves the outbox with the next batch, or within a second.
      await sleep(2_000);
      const text = String(await redis.call("INFO", "memory"));
      return Number(/used_memory:(\d+)/.exec(text)?.[1]);
    },
    async close() {
      await Promise.all([rabbit.stop(), redis.stop()]);
    },
  };
}
