import { setTimeout as sleep } from "node:timers/promises";
import type { LetterEntry } from "../../src/engine/dead-letter.ts";
import { partitionOf } from "../../src/routing.ts";
import type { Store } from "../../src/store.ts";
import type { Workflow } from "../../src/workflow.ts";
import { type Accepted, isFinal, isNameOf } from "../support/instance-checks.ts";
import { Replayer } from "../support/replay.ts";
import { instanceProblems, type Judged, readInstance } from "./judged-instance.ts";

/** What of a store is looked at. */
export type StoreView = Pick<Store, "list" | "history" | "deadLetters" | "partitions">;

/** Everything that there is to judge by: what outsiders know, and the store. */
export interface Evidence {
  readonly store: StoreView;
  readonly partitions: number;
  readonly workflows: readonly Workflow[];
  /** What senders were promised, and the keys of the instances that they asked for. */
  readonly workload: {
    readonly accepted: ReadonlyMap<string, Accepted & { readonly copies: number }>;
    readonly started: ReadonlySet<string>;
    /** Messages that senders still have no answer to. */
    readonly isWaiting: () => readonly string[];
  };
  /** What was emitted, by message id in the order of arrival. */
  readonly sink: {
    readonly received: ReadonlyMap<string, ReadonlySet<string>>;
    readonly deliveries: number;
  };
  /** Workflows whose instances need not end. */
  readonly endless?: readonly string[];
  /** When the last fault was over, in milliseconds since the Unix epoch: from then on timers are punctual. */
  readonly calmSince?: number;
}

/** What became of all that was accepted. `problems` is empty when the promise was kept. */
export interface Account {
  readonly instances: number;
  readonly accepted: number;
  readonly applied: number;
  readonly parked: number;
  /** Copies that were accepted of messages that were accepted before. */
  readonly duplicates: number;
  /** Deliveries to the sink of what it had already. */
  readonly republished: number;
  readonly lost: number;
  readonly problems: readonly string[];
}

const pageSize = 500;

/** The account as one line for people. */
export function accountLine(account: Account): string {
  const { instances, accepted, applied, parked, duplicates, republished, lost } = account;
  return `${instances} instances: ${accepted} accepted = ${applied} applied + ${parked} parked + ${lost} lost; ${duplicates} duplicates dropped, ${republished} republished`;
}

/** Takes the account again until it is in order, for as long as it may take to come to rest. */
export async function settledAccount(evidence: Evidence, withinMs: number): Promise<Account> {
  const endsAt = performance.now() + withinMs;
  for (;;) {
    const account = await accountOrProblem(evidence);
    if (account.problems.length === 0 || performance.now() > endsAt) return account;
    await sleep(500);
  }
}

/** Reads everything, and judges it by the invariants of the simulation. */
export async function takeAccount(evidence: Evidence): Promise<Account> {
  const { workload, sink, partitions } = evidence;
  const letters = await readLetters(evidence.store);
  const instances = await readInstances(evidence);
  const replayer = new Replayer(evidence.workflows);
  const effects = effectsByInstance(sink.received);
  const problems = [
    ...workload.isWaiting().map((id) => `${id} was sent and never answered`),
    ...(await partitionProblems(evidence)),
    ...[...workload.started]
      .filter((key) => !instances.has(key))
      .map((key) => `${key} was started and is gone`),
    ...[...instances.values()].flatMap((one) => [
      ...restProblems(one, evidence),
      ...instanceProblems(one, replayer, effects.get(one.key) ?? new Map(), evidence),
    ]),
    ...[...effects.keys()]
      .filter((key) => !instances.has(key))
      .map((key) => `effects of ${key} were delivered, but it is not there`),
  ];
  const count = { applied: 0, parked: 0, lost: 0, duplicates: 0 };
  for (const message of workload.accepted.values()) {
    count.duplicates += message.copies - 1;
    const applied = wasApplied(message, instances.get(message.key), partitions);
    const parked = letters.some((name) => isNameOf(message, name, partitions));
    if (applied && parked) problems.push(`${message.id} was applied and is a dead letter as well`);
    if (applied) count.applied += 1;
    else if (parked) count.parked += 1;
    else {
      count.lost += 1;
      problems.push(`${message.type} ${message.id} for ${message.key} was accepted and lost`);
    }
  }
  const republished = sink.deliveries - sink.received.size;
  const accepted = workload.accepted.size;
  return { instances: instances.size, accepted, republished, problems, ...count };
}

/** A store that cannot be read is a problem like any other. */
async function accountOrProblem(evidence: Evidence): Promise<Account> {
  try {
    return await takeAccount(evidence);
  } catch (error) {
    const zero = { instances: 0, accepted: 0, applied: 0, parked: 0, duplicates: 0, lost: 0 };
    return { ...zero, republished: 0, problems: [`the store cannot be read: ${String(error)}`] };
  }
}

async function readInstances(evidence: Evidence): Promise<ReadonlyMap<string, Judged>> {
  const found = new Map<string, Judged>();
  for (const { name } of evidence.workflows) {
    for (let cursor: string | undefined; ; ) {
      const page = await evidence.store.list({
        workflow: name,
        terms: [],
        limit: pageSize,
        ...(cursor !== undefined && { cursor }),
      });
      const read = page.items.map((stored) =>
        readInstance(evidence.store, partitionOf(stored.key, evidence.partitions), stored),
      );
      for (const one of await Promise.all(read)) found.set(one.key, one);
      cursor = page.nextCursor;
      if (cursor === undefined) break;
    }
  }
  return found;
}

/** The message ids of all dead letters. */
async function readLetters(store: StoreView): Promise<readonly (string | undefined)[]> {
  const names: (string | undefined)[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await store.deadLetters({
      limit: pageSize,
      ...(cursor !== undefined && { cursor }),
    });
    names.push(...page.items.map(({ entry }) => (JSON.parse(entry) as LetterEntry).messageId));
    cursor = page.nextCursor;
    if (cursor === undefined) return names;
  }
}

/** At rest nothing waits to go out and no timer is armed: those of instances that have ended are gone. */
async function partitionProblems({ store }: Evidence): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { partition, owner, outboxEntries, timers, nextDue } of await store.partitions()) {
    if (owner === undefined) problems.push(`partition ${partition} has no owner`);
    if (outboxEntries > 0) problems.push(`partition ${partition}: ${outboxEntries} in its outbox`);
    if (timers > 0) problems.push(`partition ${partition}: ${timers} armed, due at ${nextDue}`);
  }
  return problems;
}

function restProblems({ key, record }: Judged, { endless = [] }: Evidence): readonly string[] {
  const waiting = [...(record.deferred ?? []), ...(record.held ?? [])];
  const problems = waiting.map(({ messageId }) => `${key} still holds ${messageId}`);
  const mayGoOn = endless.includes(key.slice(0, key.indexOf("/")));
  if (isFinal(record) || (mayGoOn && record.actor !== undefined)) return problems;
  const where = JSON.stringify(record.actor?.value ?? "not started");
  return [...problems, `${key} is stuck in ${where}`];
}

function wasApplied(message: Accepted, instance: Judged | undefined, partitions: number): boolean {
  if (instance === undefined) return false;
  const [first] = instance.history;
  const wasStarted = message.id.endsWith(":start") && first !== undefined;
  return (
    wasStarted || instance.history.some(({ messageId }) => isNameOf(message, messageId, partitions))
  );
}

/** By instance and version: the bodies that came under each effect's id. */
function effectsByInstance(
  received: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlyMap<string, Map<string, ReadonlySet<string>>> {
  const found = new Map<string, Map<string, ReadonlySet<string>>>();
  for (const [id, bodies] of received) {
    const [, key] = /^([^/:]+\/[^/]+)\/\d+\/\d+$/.exec(id) ?? [];
    if (key === undefined) continue;
    const own = found.get(key) ?? new Map<string, ReadonlySet<string>>();
    found.set(key, own.set(id, bodies));
  }
  return found;
}
