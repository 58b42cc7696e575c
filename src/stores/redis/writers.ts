import type { RedisLink } from "./link.ts";

/**
 * Redis reads 16 KB of a connection, then syncs its log to the disk before it reads on. Commits that lie on several
 * connections share that sync: four take a third of the time off them, and eight little more.
 */
const usual = 4;

/**
 * Connections for commits alone: one that waits for replicas would keep leases and reads waiting on the same
 * connection. A partition keeps to one of them, so that its commits arrive in their order.
 */
export class Writers {
  readonly #connect: () => RedisLink;
  readonly #count: number;
  readonly #links = new Map<number, RedisLink>();

  constructor(connect: () => RedisLink, count = usual) {
    this.#connect = connect;
    this.#count = count;
  }

  /** The connection for commits of this partition, made when it is first needed. */
  of(partition: number): RedisLink {
    const number = partition % this.#count;
    const known = this.#links.get(number);
    if (known !== undefined) return known;
    const link = this.#connect();
    this.#links.set(number, link);
    return link;
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
  }
}
