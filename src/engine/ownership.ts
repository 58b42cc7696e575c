import type { Cancel } from "../clock.ts";
import type { Member } from "../member.ts";
import { CommitRing } from "./commit-ring.ts";
import { within } from "./deadline.ts";
import type { PartitionVitals } from "./health/vitals.ts";
import type { Holdings } from "./holdings.ts";
import { Partition } from "./partition.ts";
import { type EnginePorts, textOf } from "./ports.ts";
import { conclude, recover } from "./recover.ts";
import { mostCapable, ownersOf } from "./rendezvous.ts";

const tickMs = 1_000;
/** How long a hand-over may take, and how long the owners from before an outage are waited for. */
const patienceMs = 5_000;
/** A call that keeps a lease alive may take this share of it, so that one slow call does not cost the lease. */
const leaseShare = 4;
/** After so long without its partition a process looks whether the next owner has built on its commits. */
const lookBackMs = 3_000;

/**
 * Sees to it that this process owns its share of the partitions: a timer loop, since a standby is never told by
 * the broker that it has become active. Leases are for liveness; safety comes from the epoch in every commit.
 */
export class Ownership {
  readonly #ports: EnginePorts;
  readonly #member: Member;
  readonly #owned = new Map<number, Partition>();
  readonly #rings = new Map<number, CommitRing>();
  /** Partitions that this process has lost or given away, and since when. */
  readonly #left = new Map<number, { readonly at: number; readonly isLost: boolean }>();
  /** Partitions that are being claimed or handed over. */
  readonly #busy = new Set<number>();
  readonly #work = new Set<Promise<void>>();
  /** When the store last told who lives, and until when it was then to count this process among them. */
  #heard: { readonly at: number; readonly until: number } | undefined;
  /** The store has not answered since. */
  #wasSilent = false;
  /** Until then those are claimed that this process has lost, and no others. */
  #lastOwnersUntil = 0;
  #cancel: Cancel | undefined;
  #ticking: Promise<void> | undefined;
  #stopped = false;

  constructor(ports: EnginePorts) {
    this.#ports = ports;
    const workflows = ports.registry
      .all()
      .map(({ workflow }) => `${workflow.name}@${workflow.version}`);
    this.#member = { id: ports.trialRoom.by, workflows };
  }

  get owned(): readonly number[] {
    return [...this.#owned.keys()].toSorted((left, right) => left - right);
  }

  /** What is in memory for each partition that is owned. */
  get holdings(): readonly Holdings[] {
    return [...this.#owned.values()].map((partition) => partition.holdings);
  }

  get vitals(): readonly PartitionVitals[] {
    return [...this.#owned.values()].map(({ vitals }) => vitals);
  }

  /** Resolves after the first round: what was free to take is owned and consumes. */
  async start(): Promise<void> {
    await this.#tick();
    await Promise.all(this.#work);
  }

  /** Hands everything over, in order, within `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#ticking;
    await Promise.all(this.#work);
    const { store, clock } = this.#ports;
    await Promise.all([...this.#owned.values()].map((owned) => this.#release(owned, deadlineMs)));
    await within(clock, deadlineMs, store.leave(this.#member.id), "The store").catch(
      () => undefined,
    );
  }

  #tick(): Promise<void> {
    this.#ticking = this.#round()
      .catch((error: unknown) => this.#trouble(error))
      .then(() => {
        if (!this.#stopped) this.#cancel = this.#ports.clock.after(tickMs, () => void this.#tick());
      });
    return this.#ticking;
  }

  async #round(): Promise<void> {
    for (const partition of this.#owned.values()) partition.sweep();
    const { partitions, clock, transport } = this.#ports;
    const now = clock.monotonic();
    for (const [number, { at, isLost }] of this.#left) {
      if (now < at + lookBackMs) continue;
      this.#left.set(number, { at: now, isLost });
      this.#begin(this.#lookBack(number));
    }
    // Leases are renewed whether or not the member list can be read.
    const renewing = Promise.all([...this.#owned.values()].map((owned) => this.#renew(owned)));
    // Who cannot reach the broker can own nothing: it claims nothing, and others need not wait for it.
    const isCutOff = transport.state().status === "down";
    const members = isCutOff
      ? undefined
      : await this.#members().catch((error: unknown) => {
          this.#wasSilent = true;
          this.#trouble(error);
          return undefined;
        });
    await renewing;
    if (members === undefined || this.#stopped) return;
    const owners = ownersOf(partitions, members);
    for (let number = 0; number < partitions; number += 1) {
      const mine = owners[number] === this.#member.id;
      const owned = this.#owned.get(number);
      if (owned === undefined && this.#wants(number, mine)) this.#begin(this.#claim(number));
      if (!mine && owned !== undefined) this.#begin(this.#release(owned, patienceMs));
    }
  }

  /** After an outage in which leases may have run out those come first who know what was committed before it. */
  #wants(number: number, mine: boolean): boolean {
    const isLater = this.#ports.clock.monotonic() >= this.#lastOwnersUntil;
    return isLater ? mine : this.#left.get(number)?.isLost === true;
  }

  /** A hand-over that takes long must not keep the other partitions from being renewed. */
  #begin(work: Promise<void>): void {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }

  async #members(): Promise<readonly string[]> {
    const { store, clock, limits, trialRoom } = this.#ports;
    // Who has been silent for as long as a lease holds has lost its partitions, so others need not wait any longer.
    const announced = store.announce(this.#member, limits.leaseMs);
    const answer = await within(clock, limits.leaseMs / leaseShare, announced, "The store");
    const { members, until, before } = answer;
    const at = clock.monotonic();
    const heard = this.#heard ?? { at, until: before };
    // A store that went back remembers leases that have been renewed since, by owners who live.
    const wentBack = before < heard.until;
    if (wentBack || this.#wasSilent || at - heard.at > limits.leaseMs) {
      this.#lastOwnersUntil = at + patienceMs;
    }
    this.#heard = { at, until };
    this.#wasSilent = false;
    trialRoom.heardOf(members.map(({ id }) => id));
    return mostCapable(members).map(({ id }) => id);
  }

  async #claim(number: number): Promise<void> {
    if (this.#busy.has(number) || this.#stopped) return;
    this.#busy.add(number);
    try {
      await this.#take(number);
    } catch (error) {
      this.#trouble(error);
    } finally {
      this.#busy.delete(number);
    }
  }

  async #take(number: number): Promise<void> {
    const { store, clock, limits, storeClock, observer, fail } = this.#ports;
    const ring = this.#ring(number);
    const sentAt = clock.monotonic();
    const asked = store.claim(number, this.#member.id, limits.leaseMs, ring.epoch);
    const found = await within(clock, limits.storeDeadlineMs, asked, "The store");
    if (found === undefined) return;
    storeClock.learn(sentAt, found.now);
    fail?.("claimed");
    const claim = await recover(this.#ports, { number, claim: found, ring });
    const leaseUntil = sentAt + limits.leaseMs;
    const lost = (reason: string) => this.#lost(partition, reason);
    const owned = { number, claim, leaseUntil, ring };
    const partition: Partition = new Partition(this.#ports, owned, lost);
    this.#owned.set(number, partition);
    this.#left.delete(number);
    const { epoch } = claim;
    observer.observe({
      kind: "partition",
      partition: number,
      change: "claimed",
      epoch,
      reason: "",
    });
    try {
      await partition.open();
    } catch (error) {
      await partition.close(0);
      this.#lost(partition, textOf(error));
    }
  }

  #ring(number: number): CommitRing {
    const ring = this.#rings.get(number) ?? new CommitRing(this.#ports.partitions);
    this.#rings.set(number, ring);
    return ring;
  }

  async #renew(partition: Partition): Promise<void> {
    const { store, clock, limits, storeClock } = this.#ports;
    const sentAt = clock.monotonic();
    const { sequence, commitId } = this.#ring(partition.number);
    try {
      const asked = store.renew(partition.number, partition.epoch, limits.leaseMs);
      const renewed = await within(clock, limits.leaseMs / leaseShare, asked, "The store");
      if (renewed.epoch !== partition.epoch) {
        return partition.abandon(`epoch ${renewed.epoch} is in its place`);
      }
      // As many commits as before may be others: an epoch that was lost may have been given out again.
      const isOther = renewed.sequence === sequence && renewed.commitId !== commitId;
      if (renewed.sequence < sequence || isOther) {
        return partition.abandon("the store has lost commits");
      }
      storeClock.learn(sentAt, renewed.now);
      partition.leaseExtended(sentAt + limits.leaseMs);
    } catch (error) {
      this.#trouble(error);
    }
  }

  #lost(partition: Partition, reason: string): void {
    const { number, epoch } = partition;
    if (this.#owned.get(number) === partition) this.#owned.delete(number);
    const { observer, clock } = this.#ports;
    this.#left.set(number, { at: clock.monotonic(), isLost: true });
    observer.observe({ kind: "partition", partition: number, change: "lost", epoch, reason });
  }

  async #release(partition: Partition, deadlineMs: number): Promise<void> {
    const { number, epoch } = partition;
    if (this.#busy.has(number)) return;
    this.#busy.add(number);
    const { clock, observer, fail } = this.#ports;
    try {
      await partition.close(deadlineMs);
      fail?.("releasing");
      await this.#letGo(number, epoch);
      fail?.("released");
    } catch (error) {
      this.#trouble(error);
    } finally {
      this.#owned.delete(number);
      this.#busy.delete(number);
      this.#left.set(number, { at: clock.monotonic(), isLost: false });
      const change = "released";
      observer.observe({ kind: "partition", partition: number, change, epoch, reason: "" });
    }
  }

  /** Commits that the store has lost are written again before: the next owner could not. */
  async #letGo(number: number, epoch: number): Promise<void> {
    const { store, clock, limits } = this.#ports;
    const ask = <T>(asked: Promise<T>) => within(clock, limits.storeDeadlineMs, asked, "The store");
    const ring = this.#ring(number);
    const head = await ask(store.renew(number, epoch, limits.leaseMs));
    if (head.epoch > epoch || ring.contradiction(head) === undefined) {
      return ask(store.release(number, epoch));
    }
    const claim = await ask(store.claim(number, this.#member.id, limits.leaseMs, ring.epoch));
    if (claim === undefined) return;
    await recover(this.#ports, { number, claim, ring });
    await ask(store.release(number, claim.epoch));
  }

  /** Whoever owns it now may have begun from less than this process has committed. */
  async #lookBack(number: number): Promise<void> {
    if (this.#busy.has(number)) return;
    this.#busy.add(number);
    const { store, clock, limits } = this.#ports;
    const ring = this.#ring(number);
    try {
      const asked = store.renew(number, ring.epoch, 0);
      const head = await within(clock, limits.storeDeadlineMs, asked, "The store");
      // What a claim can still write again waits for one: a higher epoch may be that of a claim of this process which
      // nobody has answered. An epoch may have been given out again, to somebody else.
      const isBorneOut = ring.contradiction(head) === undefined;
      if (isBorneOut ? head.epoch <= ring.epoch : ring.after(head) !== undefined) return;
      this.#left.delete(number);
      conclude(this.#ports, { number, head, ring });
    } catch (error) {
      this.#trouble(error);
    } finally {
      this.#busy.delete(number);
    }
  }

  #trouble(error: unknown): void {
    this.#ports.observer.observe({ kind: "trouble", where: "store", message: textOf(error) });
  }
}
