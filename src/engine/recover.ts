import type { Commit, CommitAnswer, Head } from "../commit.ts";
import { WaybillError } from "../errors.ts";
import type { Claim } from "../store.ts";
import type { CommitRing, TakenCommit } from "./commit-ring.ts";
import { type LetterEntry, letterId } from "./dead-letter.ts";
import { within } from "./deadline.ts";
import type { EnginePorts } from "./ports.ts";
import { readOutboxEntry } from "./stored-text.ts";
import { wire } from "./wire.ts";

interface Claimed {
  readonly number: number;
  readonly claim: Claim;
  readonly ring: CommitRing;
}

interface Replayed {
  readonly taken: readonly TakenCommit[];
  readonly refused: readonly Commit[];
}

/**
 * Compares what a claim found with what this process knows of the partition. Commits that the store has lost are
 * written again, in their order and under their ids; what cannot be is told and put where an operator finds it.
 * Answers the claim with what the outbox has come to.
 */
export async function recover(ports: EnginePorts, claimed: Claimed): Promise<Claim> {
  const { number: partition, claim, ring } = claimed;
  const { head, epoch } = claim;
  const why = ring.contradiction(head);
  ring.claimed(epoch);
  if (why === undefined) {
    ring.begin(head);
    return claim;
  }
  const { taken, refused } = await replay(ports, claim, ring.after(head) ?? []);
  const restored = taken.length;
  const lost = Math.max(refused.length, ring.sequence - ring.partedAt(head) - restored);
  ring.rewrite(head, taken, ports.clock.monotonic());
  const seqs = taken.flatMap(({ commit }) => commit.outboxAdded.map(({ seq }) => seq));
  ports.rollbacks.tell({ partition, epoch, restored, lost, why });
  if (lost > 0) await record(ports, claimed, { why, lost, refused });
  return { ...claim, lastSeq: seqs.reduce((one, other) => Math.max(one, other), claim.lastSeq) };
}

/** Compares what another owner has made of the partition with what this process knows, and can only tell. */
export function conclude(
  { rollbacks, clock }: EnginePorts,
  owned: { readonly number: number; readonly head: Head; readonly ring: CommitRing },
): void {
  const { number: partition, head, ring } = owned;
  const { epoch } = head;
  const why = ring.contradiction(head);
  const from = epoch > ring.epoch ? head.base : ring.partedAt(head);
  const lost = Math.max(0, ring.sequence - from);
  if (why !== undefined) rollbacks.tell({ partition, epoch, restored: 0, lost, why });
  ring.passedTo(epoch);
  ring.rewrite(head, [], clock.monotonic());
}

/** Each is taken as a whole or refused as a whole: an instance that lacks a version takes no later one. */
async function replay(
  ports: EnginePorts,
  { epoch, head }: Claim,
  missing: readonly Commit[],
): Promise<Replayed> {
  const taken: TakenCommit[] = [];
  const refused: Commit[] = [];
  let follows = head.commitId;
  const tasks = tasksIn(missing);
  for (const one of missing) {
    // What was young enough when it was first written is not judged again.
    const inboxWindowMs = Number.MAX_SAFE_INTEGER;
    const outboxSettled = one.outboxSettled.filter((seq) => !tasks.has(seq));
    const commit = { ...one, epoch, follows, inboxWindowMs, outboxSettled };
    const answer = await send(ports, commit);
    if (answer.kind !== "committed") refused.push(one);
    else {
      taken.push({ commit, sequence: answer.sequence });
      follows = commit.commitId;
    }
  }
  return { taken, refused };
}

/**
 * What these commits ask of workers. With the commits a store loses the leases that workers had on it, and without a
 * lease a worker drops its task: so each is published once more, though it was delivered.
 */
function tasksIn(commits: readonly Commit[]): ReadonlySet<number> {
  const entries = commits.flatMap(({ outboxAdded }) => outboxAdded);
  const tasks = entries.filter(({ seq, entry }) => {
    const content = readOutboxEntry(seq, entry);
    return content.kind === "publish" && content.outgoing.message.type === wire.activity;
  });
  return new Set(tasks.map(({ seq }) => seq));
}

async function send({ store, clock, limits }: EnginePorts, commit: Commit): Promise<CommitAnswer> {
  const answer = await within(clock, limits.storeDeadlineMs, store.commit(commit), "The store");
  if (answer.kind !== "fenced" && answer.kind !== "diverged") return answer;
  throw new WaybillError({
    code: "ownership-lost",
    message: `Partition ${commit.partition} was claimed while lost commits were written again.`,
    action: "Nothing has to be done: this process looks again when it claims the partition.",
    retryable: true,
  });
}

/** A dead letter about what is gone: it stays in the store until an operator has dropped it. */
async function record(
  ports: EnginePorts,
  { number: partition, claim, ring }: Claimed,
  { why, lost, refused }: { why: string; lost: number; refused: readonly Commit[] },
): Promise<void> {
  const { ids, limits, clock } = ports;
  const { epoch } = claim;
  const entry: LetterEntry = {
    id: letterId(partition, { key: "", messageId: `rollback:${epoch}` }),
    reason: "rolled-back",
    detail: `${lost} commits of partition ${partition} are lost: ${why}`,
    body: JSON.stringify({ partition, epoch, lost, instances: refused.flatMap(writesOf) }),
  };
  const commit = ring.follow({
    partition,
    epoch,
    commitId: ids.next(),
    inboxWindowMs: limits.inboxWindowMs,
    instances: [],
    outboxAdded: [],
    outboxSettled: [],
    timersArmed: [],
    timersDisarmed: [],
    deadLettersAdded: [{ id: entry.id, entry: JSON.stringify(entry) }],
    deadLettersRemoved: [],
  });
  const answer = await send(ports, commit);
  if (answer.kind !== "committed") return;
  ring.committed({ commit, sequence: answer.sequence }, clock.monotonic());
}

function writesOf({ instances }: Commit): readonly object[] {
  return instances.map(({ key, version, inbox }) => ({
    key,
    version,
    messages: inbox.map(({ id }) => id),
  }));
}
