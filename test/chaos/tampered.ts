import { partitionOf } from "../../src/routing.ts";
import type { Evidence } from "./account.ts";
import type { Arrived } from "./plain-amqp.ts";

/** Evidence of a good run that somebody has changed, and what must be said of it. */
export interface Tampered {
  readonly what: string;
  readonly says: RegExp;
  readonly tamper: (evidence: Evidence) => Evidence;
}

interface Entry {
  readonly messageId?: string;
  readonly type: string;
  readonly payload?: { readonly sender?: string };
}
type History = Awaited<ReturnType<Evidence["store"]["history"]>>;

export const tamperings: readonly Tampered[] = [
  {
    what: "an entry is missing in the middle of a history",
    says: /version \d+ follows \d+ in the history/,
    tamper: onHistory((rows) => rows.toSpliced(3, 1)),
  },
  {
    what: "an event was applied that nobody sees any more",
    says: /the history ends at/,
    tamper: onHistory((rows) => rows.slice(0, -1)),
  },
  {
    what: "a message was applied twice",
    says: /was applied twice/,
    tamper: onHistory((rows) => {
      const noted = rows.find(({ entry }) => (JSON.parse(entry) as Entry).payload?.sender === "a");
      return noted === undefined ? rows : [...rows, noted];
    }),
  },
  {
    what: "a sender's events were applied in another order",
    says: /was applied after/,
    tamper: onHistory((rows) => {
      const places = rows.flatMap(({ entry }, place) =>
        (JSON.parse(entry) as Entry).payload?.sender === "h" ? [place] : [],
      );
      return swapped(rows, places[0] ?? 0, places[1] ?? 0);
    }),
  },
  {
    what: "a history leads to another state than the stored one",
    says: /replay/,
    tamper: onHistory((rows) =>
      rows.map((row) => ({ ...row, entry: row.entry.replace('"sender":"h"', '"sender":"x"') })),
    ),
  },
  {
    what: "a timer fired early",
    says: /fired 5\d\d\d ms early/,
    tamper: onHistory((rows) =>
      rows.map((row) => {
        const entry = JSON.parse(row.entry) as { type: string; at: number };
        const isTimer = entry.type.startsWith("xstate.after");
        const moved = isTimer ? { ...entry, at: entry.at - 5_500 } : entry;
        return { ...row, entry: JSON.stringify(moved) };
      }),
    ),
  },
  {
    what: "an accepted message left no trace",
    says: /voyage.noted ghost for \S+ was accepted and lost/,
    tamper: (evidence) => {
      const [key = ""] = evidence.workload.started;
      const ghost = { key, id: "ghost", type: "voyage.noted", copies: 1 };
      const accepted = new Map([...evidence.workload.accepted, ["ghost", ghost]]);
      return { ...evidence, workload: { ...evidence.workload, accepted } };
    },
  },
  {
    what: "an instance is gone",
    says: /was started and is gone/,
    tamper: (evidence) => {
      const started = new Set([...evidence.workload.started, "voyage/never"]);
      return { ...evidence, workload: { ...evidence.workload, started } };
    },
  },
  {
    what: "an effect was never delivered",
    says: /emitted .+, delivered was/,
    tamper: onEffects((effects) => new Map([...effects].slice(1))),
  },
  {
    what: "an effect was delivered that no step asked for",
    says: /emitted .*, delivered was .*forged/,
    tamper: onEffects((effects) => {
      const [id = ""] = effects.keys();
      return new Map([...effects, [`${id}7`, arrived('{"forged":true}')]]);
    }),
  },
  {
    what: "an effect was delivered with two contents",
    says: /came with different contents/,
    tamper: onEffects((effects) => {
      const [[id, { bodies }] = ["", arrived("")]] = effects;
      return new Map([...effects, [id, arrived(...bodies, "{}")]]);
    }),
  },
  {
    what: "effects came in another order",
    says: /came after those of version/,
    tamper: onEffects((effects) => new Map([...effects].toReversed())),
  },
  {
    what: "a message lies in the outbox",
    says: /partition 3: 1 in its outbox/,
    tamper: onPartition(3, { outboxEntries: 1 }),
  },
  {
    what: "a timer is overdue",
    says: /partition 2: a timer is \d+ ms overdue/,
    tamper: onPartition(2, { timers: 1, nextDue: 1 }),
  },
  {
    what: "a partition is nobody's",
    says: /partition 1 has no owner/,
    tamper: onPartition(1, { owner: undefined }),
  },
];

function onHistory(change: (rows: History) => History): Tampered["tamper"] {
  return (evidence) => {
    const { store, partitions } = evidence;
    const [victim = ""] = evidence.workload.started;
    const history: Evidence["store"]["history"] = async (partition, key, after, limit) => {
      const rows = await store.history(partition, key, after, limit);
      const isVictim = key === victim && partition === partitionOf(victim, partitions);
      return isVictim ? change(rows) : rows;
    };
    return { ...evidence, store: { ...viewOf(store), history } };
  };
}

function onEffects(
  change: (effects: Evidence["sink"]["received"]) => Evidence["sink"]["received"],
): Tampered["tamper"] {
  return (evidence) => {
    const [victim = ""] = evidence.workload.started;
    const isOf = (id: string) => id.startsWith(`${victim}/`);
    const { received } = evidence.sink;
    const own = new Map([...received].filter(([id]) => isOf(id)));
    const others = [...received].filter(([id]) => !isOf(id));
    return { ...evidence, sink: { received: new Map([...others, ...change(own)]) } };
  };
}

function arrived(...bodies: readonly string[]): Arrived {
  return { bodies: new Set(bodies), deliveries: bodies.length };
}

function onPartition(
  number: number,
  change: {
    readonly outboxEntries?: number;
    readonly timers?: number;
    readonly nextDue?: number;
    readonly owner?: undefined;
  },
): Tampered["tamper"] {
  return (evidence) => ({
    ...evidence,
    store: {
      ...viewOf(evidence.store),
      partitions: async () =>
        (await evidence.store.partitions()).map((status) =>
          status.partition === number ? { ...status, ...change } : status,
        ),
    },
  });
}

/** The methods of a store that can be spread. */
function viewOf(store: Evidence["store"]): Evidence["store"] {
  return {
    load: (...query) => store.load(...query),
    history: (...query) => store.history(...query),
    deadLetters: (query) => store.deadLetters(query),
    partitions: () => store.partitions(),
    now: () => store.now(),
  };
}

function swapped(rows: History, left: number, right: number): History {
  const [one, other] = [rows[left], rows[right]];
  if (one === undefined || other === undefined) return rows;
  return rows
    .with(left, { ...one, entry: other.entry })
    .with(right, { ...other, entry: one.entry });
}
