import { afterEach, beforeEach } from "vitest";
import type { Commit, InboxEntry, InstanceWrite } from "../../src/commit.ts";
import type { Store } from "../../src/store.ts";

/** One set of data for one test, and what the suite must be able to do to it. */
export interface StoreLab {
  /** A new store on the same data, not opened yet, as the next process would have it. */
  connect(): Store;
  /** Lets at least this many milliseconds pass on the store's clock. */
  advance(ms: number): Promise<void>;
  /** Closes what the test left open and removes the data. */
  dispose(): Promise<void>;
}

export type StoreFactory = () => Promise<StoreLab>;

export const partitions = 4;
export const window = 60_000;

/** How long a lease or a member lives: longer than its test, or only a part of it. */
export const long = 60_000;
export const short = 60;

/** The lab of the test that runs, with a store on it that is open. */
export interface OpenLab extends Omit<StoreLab, "dispose"> {
  readonly store: Store;
  /** Closes the store and opens another one on the same data. */
  reopen(): Promise<void>;
}

/** Gives every test of a suite a lab of its own with an open store, and disposes of it. */
export function useStore(create: StoreFactory): OpenLab {
  let lab: StoreLab;
  let store: Store;
  async function open(): Promise<void> {
    store = lab.connect();
    await store.open({ partitions });
  }
  beforeEach(async () => {
    lab = await create();
    await open();
  });
  afterEach(() => lab.dispose());
  return {
    get store() {
      return store;
    },
    connect: () => lab.connect(),
    advance: (ms) => lab.advance(ms),
    async reopen() {
      await store.close();
      await open();
    },
  };
}

/** Claims a partition before every test. */
export function useOwner(lab: Pick<OpenLab, "store">, partition = 1): Owner {
  const owner = new Owner(lab, partition);
  beforeEach(() => owner.claim());
  return owner;
}

/** A partition of a store, claimed, with short words for what the tests do to it. */
export class Owner {
  readonly partition: number;
  epoch = 0;
  readonly #lab: Pick<OpenLab, "store">;
  #commits = 0;

  constructor(lab: Pick<OpenLab, "store">, partition: number) {
    this.#lab = lab;
    this.partition = partition;
  }

  static async of(store: Store, partition = 1): Promise<Owner> {
    const owner = new Owner({ store }, partition);
    await owner.claim();
    return owner;
  }

  async claim(name = "owner"): Promise<void> {
    const claim = await this.#lab.store.claim(this.partition, name, 60_000);
    this.epoch = claim?.epoch ?? Number.NaN;
  }

  /** A commit that changes nothing but what is given. */
  commitOf(changes: Partial<Commit>): Commit {
    this.#commits += 1;
    return {
      partition: this.partition,
      epoch: this.epoch,
      commitId: `${this.partition}-${this.epoch}-${this.#commits}`,
      inboxWindowMs: window,
      instances: [],
      outboxAdded: [],
      outboxSettled: [],
      timersArmed: [],
      timersDisarmed: [],
      deadLettersAdded: [],
      deadLettersRemoved: [],
      ...changes,
    };
  }

  commit(changes: Partial<Commit>): ReturnType<Store["commit"]> {
    return this.#lab.store.commit(this.commitOf(changes));
  }

  /** Commits writes to instances and fails the test unless they are written. */
  async write(...instances: readonly InstanceWrite[]): Promise<void> {
    const answer = await this.commit({ instances });
    if (answer.kind !== "committed") throw new Error(`not written: ${JSON.stringify(answer)}`);
  }

  async inboxIds(key: string): Promise<readonly string[]> {
    return (await inboxOf(this.#lab.store, this.partition, key)).map(({ id }) => id);
  }

  async historyOf(key: string): Promise<readonly string[]> {
    return (await this.#lab.store.history(this.partition, key, 0, 100)).map(({ entry }) => entry);
  }
}

/** The first write of an instance, or another one by what is given. */
export function writeOf(key: string, changes: Partial<InstanceWrite> = {}): InstanceWrite {
  const expectedVersion = changes.expectedVersion ?? 0;
  return {
    key,
    expectedVersion,
    version: expectedVersion + 1,
    record: `{"of":"${key}","version":${expectedVersion + 1}}`,
    inbox: [],
    inboxForget: [],
    termsAdded: [],
    termsRemoved: [],
    history: [],
    ...changes,
  };
}

/** All message ids that an instance remembers, oldest first. */
export async function inboxOf(
  store: Store,
  partition: number,
  key: string,
): Promise<readonly InboxEntry[]> {
  const found: InboxEntry[] = [];
  for (let cursor: string | undefined; ; ) {
    const query = { before: Infinity, limit: 5_000, ...(cursor !== undefined && { cursor }) };
    const page = await store.inbox(partition, key, query);
    found.push(...page.items);
    cursor = page.nextCursor;
    if (cursor === undefined) return found.toSorted((one, other) => one.at - other.at);
  }
}

/** Everything that a store shows of some keys and of all partitions. */
export async function dumpOf(store: Store, keys: readonly string[]): Promise<unknown> {
  const numbers = Array.from({ length: partitions }, (_, partition) => partition);
  const perPartition = numbers.map(async (partition) => ({
    instances: await store.load(partition, keys),
    inboxes: await Promise.all(keys.map((key) => inboxOf(store, partition, key))),
    histories: await Promise.all(keys.map((key) => store.history(partition, key, 0, 1_000))),
    outbox: await store.outbox(partition, 0, 1_000),
    due: (await store.due(partition, 1_000)).rows,
  }));
  const workflows = [...new Set(keys.map((key) => key.slice(0, key.indexOf("/"))))];
  const perWorkflow = workflows.map(async (workflow) => ({
    list: await store.list({ workflow, terms: [], limit: 1_000 }),
    count: await store.count(workflow),
  }));
  return {
    partitions: await Promise.all(perPartition),
    workflows: await Promise.all(perWorkflow),
    deadLetters: await store.deadLetters({ limit: 1_000 }),
    status: await store.partitions(),
  };
}
