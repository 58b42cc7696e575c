import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../../src/clock.ts";
import { systemIds } from "../../../src/ids.ts";
import { RedisStore } from "../../../src/stores/redis/store.ts";
import type { StoreLab } from "../../contracts/store-lab.ts";

let made = 0;

/** A prefix that no other test of this file uses. */
export function newPrefix(): string {
  made += 1;
  return `test${made}`;
}

/** A store that is not opened yet. */
export function redisStore(
  url: string,
  { prefix = newPrefix(), callDeadlineMs = 2_000 } = {},
): RedisStore {
  return new RedisStore({ url, prefix, callDeadlineMs, clock: systemClock, ids: systemIds });
}

/** A store that is open, with four partitions. */
export async function openedStore(
  url: string,
  options: { readonly prefix?: string; readonly callDeadlineMs?: number } = {},
): Promise<RedisStore> {
  const store = redisStore(url, options);
  await store.open({ partitions: 4 });
  return store;
}

/** A prefix of its own on a server that tests share, whose clock is real. */
export async function redisLab(url: string): Promise<StoreLab> {
  const prefix = newPrefix();
  const connected: RedisStore[] = [];
  return {
    connect() {
      const store = redisStore(url, { prefix });
      connected.push(store);
      return store;
    },
    advance: (ms) => sleep(ms + 2),
    async dispose() {
      for (const store of connected) await store.close();
    },
  };
}
