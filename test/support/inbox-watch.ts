import type { Store } from "../../src/store.ts";
import type { World } from "./world.ts";

/** What the stores of a world were asked of inboxes. */
export interface InboxCall {
  readonly what: "page" | "handled" | "forget";
  /** Ids that were answered or are to be forgotten. */
  readonly ids: number;
  readonly durationMs: number;
}

/** The world with stores that note what they are asked of inboxes. */
export function watchingInboxes(world: World): World & { readonly calls: InboxCall[] } {
  const calls: InboxCall[] = [];
  const timed = async <Result>(
    what: InboxCall["what"],
    asked: () => Promise<Result>,
    idsIn: (result: Result) => number,
  ): Promise<Result> => {
    const began = performance.now();
    const result = await asked();
    calls.push({ what, ids: idsIn(result), durationMs: performance.now() - began });
    return result;
  };
  const watched = new WeakSet<Store>();
  const watch = (store: Store): Store => {
    if (watched.has(store)) return store;
    watched.add(store);
    const inbox = store.inbox.bind(store);
    const handled = store.handled.bind(store);
    const commit = store.commit.bind(store);
    store.inbox = (...args) =>
      timed(
        "page",
        () => inbox(...args),
        ({ items }) => items.length,
      );
    store.handled = (...args) =>
      timed(
        "handled",
        () => handled(...args),
        (ids) => ids.length,
      );
    store.commit = (one) => {
      const ids = one.instances.flatMap(({ inboxForget }) => inboxForget).length;
      return ids === 0
        ? commit(one)
        : timed(
            "forget",
            () => commit(one),
            () => ids,
          );
    };
    return store;
  };
  return { ...world, calls, store: () => watch(world.store()) };
}
