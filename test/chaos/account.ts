import { setTimeout as sleep } from "node:timers/promises";
import type { LetterEntry } from "../../src/engine/dead-letter.ts";
import { partitionOf } from "../../src/routing.ts";
import type { Store } from "../../src/store.ts";
import type { Workflow } from "../../src/workflow.ts";
import { type Accepted, isFinal, isNameOf } from "../support/instance-checks.ts";
import { Replayer } from "../support/replay.ts";
import { instanceProblems, type Judged, readInstance } from "./judged-instance.ts";
import type { Arrived } from "./plain-amqp.ts";

/** What of a store is looked at. */
export type StoreView = Pick<Store, "load" | "history" | "deadLetters" | "partitions" | "now">;

/** What came to a sink, and how often. */
export type Received = ReadonlyMap<string, Arrived>;

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
  readonly sink: { readonly received: Received };
  /** The instances that this is about; all unless given. */
  readonly concerns?: (key: string) => boolean;
  /** Workflows whose instances need not end. */
  readonly endless?: readonly string[];
  /** Others may still be at work: partitions are looked at only when all is to be at rest. */
  readonly goesOn?: boolean;
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
const overdueMs = 2_000;

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
  const { workload, sink, partitions, concerns = () => true } = evidence;
  const letters = await readLetters(evidence.store);
  const replayer = new Replayer(evidence.workflows);
  const effects = effectsByInstance(sink.received, concerns);
  const instances = await readInstances(evidence, effects);
  const problems = [
    ...workload.isWaiting().map((id) => `${id} was sent and never answered`),
    ...(evidence.goesOn === true ? [] : await partitionProblems(evidence)),
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
  const arrived = [...effects.values()].flatMap((own) => [...own.values()]);
  const republished = arrived.reduce((sum, { deliveries }) => sum + deliveries - 1, 0);
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

/** The instances that anything is known of, without those that are not there. */
async function readInstances(
  { store, partitions, workload }: Evidence,
  effects: ReadonlyMap<string, Received>,
): Promise<ReadonlyMap<string, Judged>> {
  const told = [...workload.accepted.values()].map(({ key }) => key);
  const keys = new Set([...workload.started, ...told, ...effects.keys()]);
  const found = new Map<string, Judged>();
  for (let partition = 0; partition < partitions; partition += 1) {
    const own = [...keys].filter((key) => partitionOf(key, partitions) === partition);
    const stored = (await store.load(partition, own)).filter((one) => one !== undefined);
    const read = stored.map((one) => readInstance(store, partition, one));
    for (const one of await Promise.all(read)) found.set(one.key, one);
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

/** At rest nothing waits to go out, and no timer is overdue. */
async function partitionProblems({ store }: Evidence): Promise<readonly string[]> {
  const now = await store.now();
  const problems: string[] = [];
  for (const { partition, owner, outboxEntries, nextDue } of await store.partitions()) {
    if (owner === undefined) problems.push(`partition ${partition} has no owner`);
    if (outboxEntries > 0) problems.push(`partition ${partition}: ${outboxEntries} in its outbox`);
    const lateMs = now - (nextDue ?? now);
    if (lateMs > overdueMs)
      problems.push(`partition ${partition}: a timer is ${lateMs} ms overdue`);
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

/** What came of each instance, by the effect's id. */
function effectsByInstance(
  received: Received,
  concerns: (key: string) => boolean,
): ReadonlyMap<string, Received> {
  const found = new Map<string, Map<string, Arrived>>();
  for (const [id, arrived] of received) {
    const [, key] = /^([^/:]+\/[^/]+)\/\d+\/\d+$/.exec(id) ?? [];
    if (key === undefined || !concerns(key)) continue;
    const own = found.get(key) ?? new Map<string, Arrived>();
    found.set(key, own.set(id, arrived));
  }
  return found;
}
