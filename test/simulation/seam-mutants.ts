import type { Commit } from "../../src/commit.ts";
import type { Store } from "../../src/store.ts";
import type { Outgoing, Transport } from "../../src/transport.ts";
import type { Mutant } from "./mutants.ts";
import type { Recorder } from "./recorder.ts";
import type { World } from "./world.ts";

/** An object that does what `target` does, but for `changes`. */
function altered<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      const changed: unknown = Reflect.get(changes, name);
      if (changed !== undefined) return changed;
      const own: unknown = Reflect.get(target, name, target);
      return typeof own === "function" ? (own.bind(target) as unknown) : own;
    },
  });
}

function changingCommits(
  name: string,
  what: string,
  change: (commit: Commit, store: Recorder, world: World) => Commit,
): Mutant {
  return {
    name,
    what,
    store: (store, world) =>
      altered<Store>(store, { commit: (commit) => store.commit(change(commit, store, world)) }),
  };
}

const noInbox = changingCommits("inbox", "no message id is remembered", (commit) => ({
  ...commit,
  instances: commit.instances.map((write) => ({ ...write, inbox: [] })),
}));

const noEpoch: Mutant = {
  ...changingCommits("epoch", "any owner may write, also a former one", withoutEpoch),
  covered: "a former owner does not know the last commit that its own would have to follow",
};
// An instance that starts is taken for new: only its version tells what is there already.
const noVersion: Mutant = changingCommits(
  "version",
  "an instance may have changed since",
  withoutVersion,
);
const noFollows = changingCommits("follows", "a commit may build on any other", withoutFollows);
const noFence = changingCommits(
  "epoch, version and follows",
  "anyone may write anything",
  (commit, store) => withoutFollows(withoutEpoch(withoutVersion(commit, store), store)),
);

function withoutFollows(commit: Commit): Commit {
  const { follows: _, ...rest } = commit;
  return rest;
}

function withoutEpoch(commit: Commit, { data }: Recorder): Commit {
  return { ...commit, epoch: data.partitions[commit.partition]?.epoch ?? 0 };
}

function withoutVersion(commit: Commit, { data }: Recorder): Commit {
  const partition = data.partitions[commit.partition];
  const versionOf = (key: string) => partition?.instances.get(key)?.stored.version ?? 0;
  const instances = commit.instances.map((write) => ({
    ...write,
    expectedVersion: versionOf(write.key),
  }));
  return { ...commit, instances };
}

const noAge = changingCommits("age check", "a message may be older than the inboxes", (commit) => ({
  ...commit,
  inboxWindowMs: Infinity,
}));

const noCommitId = changingCommits(
  "commit id",
  "a repeated commit is a new one",
  (commit, _, { ids }) => ({ ...commit, commitId: ids.next() }),
);

const noDeadLetters = changingCommits("dead letters", "what nobody takes is dropped", (commit) => ({
  ...commit,
  deadLettersAdded: [],
}));

const noDisarming = changingCommits(
  "disarming",
  "timers of states that were left stay",
  (commit) => ({
    ...commit,
    timersDisarmed: commit.timersDisarmed.filter((id) => !id.includes("#xstate.after")),
  }),
);

const noRedrive: Mutant = {
  name: "outbox at a claim",
  what: "what a former owner has promised is not published",
  store: (store) => altered<Store>(store, { outbox: () => Promise.resolve([]) }),
};

const earlyMs = 250;

const earlyTimers: Mutant = {
  name: "due times",
  what: "timers fire up to 250 ms early",
  store: (store, { recorder, server }) =>
    altered<Store>(store, {
      due: async (partition, limit) => {
        const timers = [...(recorder.data.partitions[partition]?.timers ?? [])];
        const now = server.now();
        const rows = timers
          .map(([id, due]) => ({ id, due }))
          .filter(({ due }) => due <= now + earlyMs)
          .slice(0, limit);
        return { ...(await store.due(partition, limit)), rows };
      },
    }),
};

/** The store finds due timers only right after a wake-up: no sweep, and none at a claim. */
const hintsOnly: Mutant = {
  name: "sweep and claim",
  what: "the store is asked for due timers after a wake-up only",
  transport: (transport, world) =>
    altered<Transport>(transport, {
      consume: (options) =>
        transport.consume({
          ...options,
          deliver: (delivery) => {
            const { type } = delivery.message;
            if (type === "waybill.wake") world.hinted.add(options.queue);
            options.deliver(delivery);
          },
        }),
    }),
  store: (store, world) =>
    altered<Store>(store, {
      due: async (partition, limit) => {
        const found = await store.due(partition, limit);
        if (world.hinted.delete(`waybill.p.${partition}`)) return found;
        const [first] = found.rows;
        const nextDue = first?.due ?? found.nextDue;
        return { now: found.now, rows: [], ...(nextDue !== undefined && { nextDue }) };
      },
    }),
};

const ackAtOnce: Mutant = {
  name: "ack after commit",
  what: "messages are acknowledged when they arrive",
  transport: (transport) =>
    altered<Transport>(transport, {
      consume: async (options) => {
        const early: Parameters<typeof options.deliver>[0][] = [];
        let acknowledge = (delivery: (typeof early)[number]): void => void early.push(delivery);
        const consumer = await transport.consume({
          ...options,
          deliver: (delivery) => {
            acknowledge(delivery);
            options.deliver(delivery);
          },
        });
        acknowledge = (delivery) => consumer.ack([delivery]);
        consumer.ack(early);
        return consumer;
      },
    }),
};

const restamped: Mutant = {
  name: "stable effect ids",
  what: "an effect gets another id at each publish",
  transport: (transport, world) =>
    altered<Transport>(transport, {
      publish: (batch) => transport.publish(batch.map((outgoing) => stampedAnew(outgoing, world))),
    }),
};

function stampedAnew(outgoing: Outgoing, { ids }: World): Outgoing {
  if (outgoing.exchange !== "events") return outgoing;
  return { ...outgoing, message: { ...outgoing.message, id: ids.next() } };
}

/** Effects leave with the attempt to commit them. */
const publishFirst: Mutant = {
  name: "effects after commit",
  what: "effects leave with the attempt to commit them",
  store: (store, world) =>
    altered<Store>(store, {
      commit: async (commit) => {
        await world.broker.publish(commit.outboxAdded.flatMap(({ entry }) => effectOf(entry)));
        return store.commit(commit);
      },
    }),
};

function effectOf(entry: string): readonly Outgoing[] {
  const content = JSON.parse(entry) as { readonly outgoing?: Outgoing };
  return content.outgoing?.exchange === "events" ? [content.outgoing] : [];
}

/** Deliveries of a consumer arrive in any order. */
const disorder: Mutant = {
  name: "order",
  what: "deliveries of a queue overtake each other",
  transport: (transport, { chance, scheduler }) =>
    altered<Transport>(transport, {
      consume: (options) =>
        transport.consume({
          ...options,
          deliver: (delivery) =>
            void scheduler.at(chance.between(0, 1_500), () => options.deliver(delivery)),
        }),
    }),
};

const noSync: Mutant = {
  name: "durability gate",
  what: "the store answers before a commit is safe, and loses its tail with power",
  isUnsynced: true,
};

/** Guards that are switched off from outside of the engine. */
export const seamMutants: readonly Mutant[] = [
  noInbox,
  noEpoch,
  noVersion,
  noFollows,
  noFence,
  noAge,
  noCommitId,
  noSync,
  noRedrive,
  hintsOnly,
  ackAtOnce,
  publishFirst,
  disorder,
  noDeadLetters,
  noDisarming,
  earlyTimers,
  restamped,
];
