import { within } from "./deadline.ts";
import type { Plan } from "./plan/plan.ts";
import type { EnginePorts } from "./ports.ts";

/** So many ids are looked at with one batch, times what a batch can add: trimming is always the faster. */
const headStart = 4;

/** What the instances of one partition remember. However long an inbox is, a call reads a part of it only. */
export class Inboxes {
  readonly #ports: EnginePorts;
  readonly #partition: number;
  /** How far the inboxes have been looked through that take more than one batch. */
  readonly #cursors = new Map<string, string>();
  /** The same, once the present plan is committed; undefined when that was the end of it. */
  readonly #reached = new Map<string, string | undefined>();

  constructor(ports: EnginePorts, partition: number) {
    this.#ports = ports;
    this.#partition = partition;
  }

  /** Those of these messages that were handled before, each as key, space, id. */
  async handled(doubts: ReadonlyMap<string, ReadonlySet<string>>): Promise<readonly string[]> {
    const { store } = this.#ports;
    const handled: string[] = [];
    for (const [key, ids] of doubts) {
      const known = await this.#within(store.handled(this.#partition, key, [...ids]));
      handled.push(...known.map((id) => `${key} ${id}`));
    }
    return handled;
  }

  /**
   * Forgets messages that are older than any copy of them that would still be accepted. What is too much for one
   * batch goes with those that follow.
   */
  async trim({ drafts, context: { now, inboxWindowMs } }: Plan): Promise<void> {
    const { store, limits } = this.#ports;
    this.#reached.clear();
    let limit = headStart * limits.batchMessages;
    for (const draft of drafts.values()) {
      const { current, touched, key } = draft;
      if (!touched || current?.trimAt === undefined || current.trimAt > now) continue;
      const cursor = this.#cursors.get(key);
      const before = now - 2 * inboxWindowMs;
      const query = { before, limit, ...(cursor !== undefined && { cursor }) };
      const page = await this.#within(store.inbox(this.#partition, key, query));
      draft.inboxForget = page.items.map(({ id }) => id);
      this.#reached.set(key, page.nextCursor);
      if (page.nextCursor !== undefined) return;
      draft.current = { ...current, trimAt: now + inboxWindowMs };
      limit -= page.items.length;
    }
  }

  /** The plan that was trimmed last is in the store. */
  committed(): void {
    for (const [key, cursor] of this.#reached) {
      if (cursor === undefined) this.#cursors.delete(key);
      else this.#cursors.set(key, cursor);
    }
    this.#reached.clear();
  }

  #within<Result>(asked: Promise<Result>): Promise<Result> {
    const { clock, limits } = this.#ports;
    return within(clock, limits.storeDeadlineMs, asked, "The store");
  }
}
