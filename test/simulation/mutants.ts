import type { Commit } from "../../src/commit.ts";
import type { Store } from "../../src/store.ts";
import type { Outgoing, Transport } from "../../src/transport.ts";
import type { FaultyTransport } from "./faulty-transport.ts";
import type { Recorder } from "./recorder.ts";
import type { World } from "./world.ts";

/** A system with one guard taken out, to see that the checks notice. */
export interface Mutant {
  readonly name: string;
  /** What stands between the connections and the true store. */
  readonly store?: (store: Recorder, world: World) => Store;
  /** What stands between the engine and its connection. */
  readonly transport?: (transport: FaultyTransport, world: World) => Transport;
}

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
  change: (commit: Commit, store: Recorder) => Commit,
): Mutant {
  return {
    name,
    store: (store) =>
      altered<Store>(store, { commit: (commit) => store.commit(change(commit, store)) }),
  };
}

const noInbox = changingCommits("no inbox", (commit) => ({
  ...commit,
  instances: commit.instances.map((write) => ({ ...write, inbox: [] })),
}));

const noFence = changingCommits("neither epoch nor version", (commit, { data }) => {
  const partition = data.partitions[commit.partition];
  const versionOf = (key: string) => partition?.instances.get(key)?.stored.version ?? 0;
  return {
    ...commit,
    epoch: partition?.epoch ?? 0,
    instances: commit.instances.map((write) => ({
      ...write,
      expectedVersion: versionOf(write.key),
    })),
  };
});

const noDeadLetters = changingCommits("dead letters are dropped", (commit) => ({
  ...commit,
  deadLettersAdded: [],
}));

const noDisarming = changingCommits("timers are never disarmed", (commit) => ({
  ...commit,
  timersDisarmed: commit.timersDisarmed.filter((id) => !id.includes("#xstate.after")),
}));

const noRedrive: Mutant = {
  name: "the outbox is not published anew at a claim",
  store: (store) => altered<Store>(store, { outbox: () => Promise.resolve([]) }),
};

const earlyMs = 250;

const earlyTimers: Mutant = {
  name: "timers fire early",
  store: (store, { recorder }) =>
    altered<Store>(store, {
      due: async (partition, limit) => {
        const timers = [...(recorder.data.partitions[partition]?.timers ?? [])];
        const now = recorder.time();
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
  name: "timers are left to the wake-ups",
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
  name: "messages are acknowledged before the commit",
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
  name: "an effect gets another id at each publish",
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
  name: "effects leave before the commit",
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
  name: "deliveries overtake each other",
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

/** Each of them breaks one promise. */
export const mutants: readonly Mutant[] = [
  noInbox,
  noFence,
  noDeadLetters,
  noDisarming,
  noRedrive,
  earlyTimers,
  hintsOnly,
  ackAtOnce,
  restamped,
  publishFirst,
  disorder,
];
