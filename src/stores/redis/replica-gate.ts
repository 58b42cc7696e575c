import type { RedisAddress } from "./address.ts";
import { TooFewReplicas } from "./failures.ts";

/** How many replicas must have what a script wrote, in memory or on disk, and for how long to wait for them. */
export interface ReplicaGate {
  readonly replicas: number;
  readonly waitMs: number;
  /** Whether they and the master must have it on disk. */
  readonly fsync: boolean;
}

type Wait = readonly [command: "wait" | "waitaof", parameters: readonly number[]];

/**
 * A replica that is asked tells what it has on disk before it syncs what came with the question, and unasked it tells
 * once a second: a single WAITAOF took a second, with `appendfsync always` everywhere. WAIT first, whose answer comes
 * while the replica syncs, and then WAITAOF take 1.3 ms. Asked again now and then, `everysec` costs a second at most, not two.
 */
const questions = 4;

/**
 * The master has to have it on disk too: one that came back from a loss of power without it would be the master again,
 * and its replicas would follow it back.
 */
const local = 1;

/** What commits of a store at this address wait for. */
export function gateOf({ replicas, replicaWaitMs, replicaFsync }: RedisAddress): ReplicaGate {
  return { replicas, waitMs: replicaWaitMs, fsync: replicaFsync };
}

/** The commands that wait, to be sent behind what they wait for; together they take `waitMs`. */
export function waits({ replicas, waitMs, fsync }: ReplicaGate): readonly Wait[] {
  if (!fsync) return [["wait", [replicas, waitMs]]];
  const eachMs = Math.max(1, Math.floor(waitMs / questions));
  const again = Array.from({ length: questions - 1 }, (): Wait => {
    return ["waitaof", [local, replicas, eachMs]];
  });
  return [["wait", [replicas, eachMs]], ...again];
}

/** Why the answers to `waits` are not enough; undefined when they are. */
export function shortfall(
  gate: ReplicaGate,
  answers: readonly unknown[],
): TooFewReplicas | undefined {
  const { replicas, waitMs, fsync } = gate;
  if (fsync) return unsynced(gate, answers.slice(1));
  const reached = Number(answers[0]);
  if (reached >= replicas) return undefined;
  return new TooFewReplicas(
    `Only ${reached} of ${replicas} replicas had the commit after ${waitMs} ms.`,
  );
}

/** Each answer speaks of at least what was written before all of them, so the best one counts. */
function unsynced(
  { replicas, waitMs }: ReplicaGate,
  answers: readonly unknown[],
): TooFewReplicas | undefined {
  const counts = answers as readonly (readonly unknown[])[];
  const own = Math.max(...counts.map(([count]) => Number(count)));
  const synced = Math.max(...counts.map(([, count]) => Number(count)));
  const missing: string[] = [];
  if (own < local) missing.push("Redis itself did not have");
  if (synced < replicas) missing.push(`only ${synced} of ${replicas} replicas had`);
  if (missing.length === 0) return undefined;
  const text = `${missing.join(", and ")} on disk what was written, after ${waitMs} ms.`;
  return new TooFewReplicas(`${text.charAt(0).toUpperCase()}${text.slice(1)}`, unsyncedAction);
}

const unsyncedAction =
  "See that enough replicas are connected, and that they and Redis have `appendonly yes` and `appendfsync always` (with `no` they never tell what is on disk); it is tried again by itself.";
