import type { CommitAnswer, InstanceWrite } from "../commit.ts";
import type { WaybillError } from "../errors.ts";
import type { Headers } from "../message.ts";
import type { Claim } from "../store.ts";
import type { Arrival, UnfitArrival } from "./arrival.ts";
import { BatchTrace } from "./batch-trace.ts";
import type { CommitRing } from "./commit-ring.ts";
import { within } from "./deadline.ts";
import { Inboxes } from "./inboxes.ts";
import type { InstanceCache } from "./instance-cache.ts";
import { Newcomers } from "./newcomers.ts";
import { ownershipLost } from "./ownership-lost.ts";
import { apply } from "./plan/apply.ts";
import { keepForLater } from "./plan/apply-timer.ts";
import { Plan, type PlanContext } from "./plan/plan.ts";
import { type EnginePorts, textOf } from "./ports.ts";
import type { OutboxContent } from "./wire.ts";

/** A refused commit is planned anew without what was refused; more rounds mean that another writer is at work. */
const maxRefusals = 20;
const repeatMs = 100;

/** A partition that was claimed; `leaseUntil` is in monotonic milliseconds of this process. */
export interface Owned {
  readonly number: number;
  readonly claim: Claim;
  readonly leaseUntil: number;
  readonly ring: CommitRing;
}

/** A plan that the store has taken, and when by the store's clock. */
export interface Committed {
  readonly plan: Plan;
  readonly at: number;
}

/** What a commit holds besides what its arrivals ask for. */
export interface CommitOptions {
  readonly promised?: readonly OutboxContent[];
  /** See `PlanContext.isAlone`. */
  readonly isAlone?: boolean;
  /** It goes to the store even when it changes nothing. */
  readonly mayBeEmpty?: boolean;
}

/**
 * Plans batches of one partition and commits them, one after the other.
 * It changes nothing but the store, its cache, and what it remembers of refusals.
 */
export class Committer {
  readonly #ports: EnginePorts;
  readonly #owned: Owned;
  readonly #cache: InstanceCache;
  readonly #inboxes: Inboxes;
  readonly #newcomers: Newcomers;
  /** Monotonic time until which the lease surely holds. */
  leaseUntil: number;
  #nextSeq: number;
  #delivered: number[] = [];
  readonly #handled = new Set<string>();
  readonly #tooOld = new Set<string>();
  /** What no plan can take in: it throws, ends the process, or its instance would grow too large. */
  readonly #unfit = new WeakMap<Arrival, Pick<UnfitArrival, "reason" | "detail">>();

  constructor(ports: EnginePorts, owned: Owned, cache: InstanceCache) {
    this.#ports = ports;
    this.#owned = owned;
    this.#cache = cache;
    this.#inboxes = new Inboxes(ports, owned.number);
    this.#newcomers = new Newcomers(cache);
    this.#nextSeq = owned.claim.lastSeq + 1;
    this.leaseUntil = owned.leaseUntil;
  }

  /** Outbox entries that the broker has; they leave the store with the next commit. */
  delivered(seqs: readonly number[]): void {
    this.#delivered.push(...seqs);
  }

  /** From now on an arrival is not applied, but set aside for this reason. */
  condemn(arrival: Arrival, why: Pick<UnfitArrival, "reason" | "detail">): void {
    this.#unfit.set(arrival, why);
  }

  /**
   * Commits nothing. What an earlier owner has written may still wait for replicas, and nothing may be built on it yet;
   * once this resolves it is as safe as all that this owner commits.
   */
  async secure(): Promise<void> {
    await this.commit([], { mayBeEmpty: true });
  }

  /**
   * Commits what the arrivals ask for, which may be nothing; without any, only what was delivered.
   * @throws WaybillError `ownership-lost` when this process may no longer write the partition.
   */
  async commit(arrivals: readonly Arrival[], options: CommitOptions = {}): Promise<Committed> {
    const trace = new BatchTrace(this.#ports, this.#owned.number, arrivals);
    for (let refusals = 0; refusals < maxRefusals; ) {
      const plan = await this.#plan(arrivals, options, trace.link);
      if (await this.#findHandled(plan)) continue;
      await this.#inboxes.trim(plan);
      const commit = plan.toCommit();
      if (this.#findTooLarge(commit.instances, arrivals)) continue;
      // A copy: while the commit is on its way, more is delivered.
      const delivered = [...this.#delivered];
      const settled = [...delivered, ...plan.settled];
      const mustAsk = options.mayBeEmpty === true || arrivals.some(isAcknowledged);
      if (plan.isEmpty && settled.length === 0 && !mustAsk) {
        trace.taken(plan);
        return { plan, at: this.#ports.storeClock.earliest() };
      }
      trace.committing(plan);
      const answer = await this.#send(commit, settled);
      if (answer.kind === "committed") {
        trace.taken(plan);
        this.#inboxes.committed();
        this.#newcomers.committed();
        this.#delivered = this.#delivered.slice(delivered.length);
        this.#nextSeq = plan.nextSeq;
        this.#handled.clear();
        this.#tooOld.clear();
        return { plan, at: answer.now };
      }
      this.#learn(answer);
      refusals += 1;
    }
    throw ownershipLost("another writer keeps changing its instances");
  }

  async #plan(
    arrivals: readonly Arrival[],
    { promised = [], isAlone = false }: CommitOptions,
    batch: Headers | undefined,
  ): Promise<Plan> {
    const { known, presumed } = this.#newcomers.among(arrivals);
    const instances = await this.#cache.load(known);
    for (const key of presumed) instances.set(key, undefined);
    const letters = await this.#letters(arrivals);
    for (;;) {
      const context = { ...this.#context(letters), isAlone, ...(batch && { batch }) };
      const plan = new Plan(context, instances);
      for (const content of promised) plan.promise(content);
      if (arrivals.every((arrival) => this.#isApplied(plan, arrival))) return plan;
    }
  }

  /** The dead letters that operators want something of. */
  async #letters(arrivals: readonly Arrival[]): Promise<ReadonlyMap<string, string>> {
    const ids = arrivals.flatMap((one) => (one.kind === "letter" ? [one.letter] : []));
    if (ids.length === 0) return new Map();
    const { store, clock, limits } = this.#ports;
    const asked = store.loadDeadLetters(this.#owned.number, ids);
    const rows = await within(clock, limits.storeDeadlineMs, asked, "The store");
    return new Map(rows.map(({ id, entry }) => [id, entry]));
  }

  /** False when it throws, as a user's schema may: it may have left half of its work, so all is planned anew. */
  #isApplied(plan: Plan, arrival: Arrival): boolean {
    try {
      const corrupt = this.#cache.corrupt.get(arrival.key);
      if (corrupt !== undefined && arrival.kind === "timer") keepForLater(plan, arrival);
      else if (arrival.kind === "letter" || arrival.kind === "rerun") apply(plan, arrival);
      else apply(plan, this.#readable(arrival, corrupt));
      return true;
    } catch (error) {
      if (this.#unfit.has(arrival)) throw error;
      this.#unfit.set(arrival, { reason: "poison", detail: textOf(error) });
      return false;
    }
  }

  /** Looks up what is about to be refused; true when some of it was handled before, and the plan is wrong. */
  async #findHandled(plan: Plan): Promise<boolean> {
    const before = this.#handled.size;
    for (const message of await this.#inboxes.handled(plan.doubts)) this.#handled.add(message);
    return this.#handled.size > before;
  }

  /** A record that has grown too large gives up the last message that went into it; true when there is one. */
  #findTooLarge(writes: readonly InstanceWrite[], arrivals: readonly Arrival[]): boolean {
    const { recordBytes } = this.#ports.limits;
    let found = false;
    for (const { key, record = "" } of writes) {
      // A string's length never exceeds its UTF-8 size, so only a long one has to be measured.
      if (record.length <= recordBytes / 4 || Buffer.byteLength(record) <= recordBytes) continue;
      const last = arrivals.findLast((one) => one.key === key && !this.#unfit.has(one));
      if (last === undefined) continue;
      const detail = `its instance would need more than ${recordBytes} bytes`;
      this.#unfit.set(last, { reason: "too-large", detail });
      found = true;
    }
    return found;
  }

  /** An instance whose record is broken parks its own messages only, and so does a message that breaks the plan. */
  #readable(arrival: Arrival, corrupt: WaybillError | undefined): Arrival {
    const unfit =
      corrupt === undefined
        ? this.#unfit.get(arrival)
        : { reason: "corrupt-record" as const, detail: corrupt.message };
    if (unfit === undefined || arrival.kind === "unfit") return arrival;
    const { receipt: _, reply: __, message, ...content } = arrival;
    return {
      ...arrival,
      kind: "unfit",
      type: message?.type ?? ("type" in arrival ? arrival.type : arrival.kind),
      ...unfit,
      body: message?.body ?? JSON.stringify(content),
    };
  }

  #context(letters: ReadonlyMap<string, string>): Omit<PlanContext, "isAlone"> {
    const { registry, names, partitions, storeClock, limits, ids, tracer } = this.#ports;
    return {
      registry,
      names,
      partitions,
      tracer,
      partition: this.#owned.number,
      now: storeClock.latest(),
      inboxWindowMs: limits.inboxWindowMs,
      missingInstanceWaitMs: limits.missingInstanceWaitMs,
      nextSeq: this.#nextSeq,
      handled: this.#handled,
      tooOld: this.#tooOld,
      letters,
      newId: () => ids.next(),
    };
  }

  async #send(
    planned: ReturnType<Plan["toCommit"]>,
    outboxSettled: readonly number[],
  ): Promise<CommitAnswer> {
    const { fail } = this.#ports;
    fail?.("committing");
    if (outboxSettled.length > 0) fail?.("settling");
    const answer = await this.#persist(planned, outboxSettled);
    if (outboxSettled.length > 0) fail?.("settled");
    return answer;
  }

  /**
   * Repeats the same commit until the store answers or the lease is over. A repeated one is safe, and so is a copy
   * that comes late: it follows a commit that is no longer the last one.
   */
  async #persist(
    planned: ReturnType<Plan["toCommit"]>,
    outboxSettled: readonly number[],
  ): Promise<CommitAnswer> {
    const { store, clock, ids, observer, limits, storeClock } = this.#ports;
    const { claim, ring } = this.#owned;
    const commit = ring.follow({
      ...planned,
      epoch: claim.epoch,
      commitId: ids.next(),
      outboxSettled,
    });
    for (let first = true; clock.monotonic() < this.leaseUntil; first = false) {
      const sentAt = clock.monotonic();
      try {
        const asked = store.commit(commit);
        const answer = await within(clock, limits.storeDeadlineMs, asked, "The store");
        // A repeated commit gets its first answer, with a time that has passed.
        if (answer.kind === "committed" && first) storeClock.learn(sentAt, answer.now);
        if (answer.kind === "committed")
          ring.committed({ commit, sequence: answer.sequence }, sentAt);
        return answer;
      } catch (error) {
        observer.observe({ kind: "trouble", where: "store", message: textOf(error) });
        await new Promise<void>((resolve) => {
          clock.after(repeatMs, resolve);
        });
      }
    }
    throw ownershipLost("the store did not answer while its lease held");
  }

  #learn(answer: Exclude<CommitAnswer, { kind: "committed" }>): void {
    if (answer.kind === "fenced" || answer.kind === "diverged") {
      const contradiction = this.#owned.ring.contradiction(answer);
      throw ownershipLost(contradiction ?? `epoch ${answer.epoch} has taken over`);
    }
    if (answer.kind === "conflict") {
      this.#newcomers.refused(answer.keys);
      return this.#cache.forget(answer.keys);
    }
    const refused = answer.kind === "duplicate" ? this.#handled : this.#tooOld;
    for (const { key, id } of answer.messages) refused.add(`${key} ${id}`);
  }
}

/**
 * What changes nothing may change something for the next owner, if there is one by now: the broker may forget it only
 * when the store has said that there is none. Who waits for a state looks into the store himself.
 */
function isAcknowledged({ kind, receipt }: Arrival): boolean {
  return receipt.delivery !== undefined && kind !== "watch";
}
