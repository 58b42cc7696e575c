import { partitionOf } from "../routing.ts";
import type { Delivery } from "../transport.ts";
import { LeftRuns } from "./activities/left-runs.ts";
import { LocalActivities } from "./activities/local-activities.ts";
import { type AftermathPorts, aftermath } from "./aftermath.ts";
import type { Arrival } from "./arrival.ts";
import { CatchUp } from "./catch-up.ts";
import { Committer, type Owned } from "./committer.ts";
import { within } from "./deadline.ts";
import { decode, wakeUpIn } from "./decode.ts";
import { Dispatch } from "./dispatch.ts";
import { Feed } from "./feed.ts";
import { type PartitionVitals, Pulse } from "./health/vitals.ts";
import { type Holdings, holdingsOf } from "./holdings.ts";
import { InstanceCache } from "./instance-cache.ts";
import { Intake, timerArrivals } from "./intake.ts";
import { leftBehind } from "./left-behind.ts";
import { Outbox } from "./outbox.ts";
import { type EnginePorts, textOf } from "./ports.ts";
import { Settlement } from "./settlement.ts";
import { Trials } from "./trials.ts";
import { WakeUp } from "./wake-up.ts";
import { Watchers } from "./watchers.ts";
import type { ActivityTask } from "./wire.ts";

/**
 * One owned partition, from its claim until it is released or lost. A batch goes: take what has arrived, load,
 * step each event (pure), commit, publish, acknowledge. One commit is under way at a time; whatever the store
 * does not answer with `committed` changes nothing. Any doubt about ownership ends this object for good: the
 * next claim makes another one, which starts from the store.
 */
export class Partition {
  readonly number: number;
  readonly epoch: number;
  readonly #ports: EnginePorts;
  readonly #lost: (reason: string) => void;
  readonly #intake: Intake;
  readonly #committer: Committer;
  readonly #trials: Trials;
  readonly #cache: InstanceCache;
  readonly #feed: Feed;
  readonly #outbox: Outbox;
  readonly #activities: LocalActivities;
  readonly #leftRuns: LeftRuns;
  readonly #dispatch: Dispatch;
  readonly #wakeUp: WakeUp;
  readonly #watchers: Watchers;
  readonly #catchUp: CatchUp;
  readonly #settlement: Settlement;
  #timersDue = false;
  readonly #pulse = new Pulse();
  #running: Promise<void> | undefined;
  #scheduled = false;
  #state: "open" | "closing" | "ended" = "open";

  constructor(ports: EnginePorts, owned: Owned, lost: (reason: string) => void) {
    const { store, transport, clock, registry, storeClock, names, limits, trialRoom: room } = ports;
    const partition = owned.number;
    const queue = names.partition(partition);
    this.number = partition;
    this.epoch = owned.claim.epoch;
    this.#ports = ports;
    this.#lost = lost;
    const { storeDeadlineMs, prefetch, deaths } = limits;
    this.#cache = new InstanceCache({ store, clock, registry, partition, storeDeadlineMs });
    this.#committer = new Committer(ports, owned, this.#cache);
    const delivered = (seqs: readonly number[]) => this.#delivered(seqs);
    const trying = { clock, deaths, room, committer: this.#committer, settle: delivered };
    this.#trials = new Trials({ ...trying, claimedAt: storeClock.latest() });
    this.#intake = new Intake(limits, (arrival) => this.#trials.isSuspect(arrival));
    this.#watchers = new Watchers(clock);
    const deliver = (delivery: Delivery) => this.#deliver(delivery);
    const feedLost = (reason: string) => this.#end(`its consumer ended: ${reason}`);
    this.#feed = new Feed({ ...ports, queue, prefetch, deliver, lost: feedLost });
    this.#outbox = new Outbox({ ...ports, delivered });
    const arrive = (arrival: Arrival) => this.#arrive(arrival);
    const storeNow = () => storeClock.earliest();
    this.#activities = new LocalActivities({ ...ports, storeNow, arrive });
    const isRunning = (task: ActivityTask) => this.#activities.isRunning(task);
    this.#leftRuns = new LeftRuns({ ...ports, room, deaths, arrive, isRunning });
    const [outbox, activities, leftRuns] = [this.#outbox, this.#activities, this.#leftRuns];
    const read = (delivery: Delivery) => this.#decode(delivery);
    this.#dispatch = new Dispatch({ ...ports, queue, outbox, activities, leftRuns, arrive, read });
    const wake = () => this.#timersMayBeDue();
    this.#catchUp = new CatchUp(clock, wake);
    this.#settlement = new Settlement(clock, () => this.#schedule());
    this.#wakeUp = new WakeUp({ clock, storeClock, transport, queue, wake });
  }

  /** Takes up what the last owner left behind, then begins to consume. */
  async open(): Promise<void> {
    const { transport, names } = this.#ports;
    await this.#committer.secure();
    const left = await leftBehind(this.#ports, this.number);
    // Before any of the rest arrives it has to be known which of it is suspect.
    this.#trials.inherit(left);
    this.#dispatch.send(left, true);
    this.#ports.fail?.("redriven");
    this.#catchUp.begin(await transport.depth(names.partition(this.number)));
    await this.#feed.open();
  }

  get holdings(): Holdings {
    const [arrivals, outgoing, instances] = [this.#intake, this.#outbox, this.#cache];
    const [activities, watchers] = [this.#activities, this.#watchers];
    return holdingsOf({ arrivals, outgoing, activities, watchers, instances });
  }

  get vitals(): PartitionVitals {
    return this.#pulse.vitals(this.number, this.#intake, this.#outbox);
  }

  /** The lease was extended, until this monotonic time. */
  leaseExtended(until: number): void {
    this.#committer.leaseUntil = until;
  }

  /** Ownership is gone: stops at once, without acknowledging anything. */
  abandon(reason: string): void {
    this.#end(reason);
  }

  /** Once a second: makes good a lost wake-up, and notices a lease that ran out. */
  sweep(): void {
    if (this.#state !== "open") return;
    if (this.#ports.clock.monotonic() >= this.#committer.leaseUntil) {
      return this.#end("its lease ran out");
    }
    this.#watchers.sweep();
    this.#timersMayBeDue();
  }

  /** Finishes the batch that is under way, publishes what it promised, and hands the queue back in order. */
  async close(deadlineMs: number): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "closing";
    const { clock } = this.#ports;
    await within(clock, deadlineMs, this.#finish(), "The last batch").catch(() => undefined);
    this.#stop();
    await within(clock, deadlineMs, this.#feed.close(), "The broker").catch(() => undefined);
  }

  async #finish(): Promise<void> {
    await this.#running;
    await this.#outbox.drained();
    await this.#committer.commit(this.#leftRuns.handBack());
  }

  #stop(): void {
    this.#state = "ended";
    this.#intake.clear();
    this.#leftRuns.close();
    this.#activities.abortAll();
    this.#outbox.close();
    this.#wakeUp.reset();
    this.#settlement.close();
    this.#trials.close();
  }

  /** Gives up at once and for good, without acknowledging anything. */
  #end(reason: string): void {
    if (this.#state === "ended") return;
    const told = this.#state === "open";
    this.#stop();
    void this.#feed.abandon().catch(() => undefined);
    if (told) this.#lost(reason);
  }

  #deliver(delivery: Delivery): void {
    const { message } = delivery;
    this.#ports.fail?.("delivered");
    const due = wakeUpIn(message, this.#ports.transport.user);
    if (due === undefined) return this.#arrive(this.#decode(delivery));
    this.#feed.ack([delivery]);
    this.#catchUp.handled(1);
    this.#wakeUp.arrived(due);
  }

  #decode(delivery: Delivery): Arrival {
    const { registry, transport, limits, partitions } = this.#ports;
    const isOurs = (key: string) => partitionOf(key, partitions) === this.number;
    return decode(delivery, { registry, trustedUser: transport.user, limits, isOurs });
  }

  #arrive(arrival: Arrival): void {
    if (this.#state !== "open") return;
    this.#intake.add(arrival);
    this.#schedule();
  }

  #timersMayBeDue(): void {
    if (this.#state !== "open" || this.#catchUp.goesOn) return;
    this.#timersDue = true;
    this.#schedule();
  }

  #delivered(seqs: readonly number[]): void {
    this.#committer.delivered(seqs);
    this.#settlement.expect();
  }

  /** Everything that arrives in this turn of the event loop goes into one batch; no timer lingers. */
  #schedule(): void {
    if (this.#scheduled || this.#running !== undefined || !this.#hasWork()) return;
    this.#scheduled = true;
    this.#ports.slices.soon(() => {
      this.#scheduled = false;
      if (this.#running !== undefined || !this.#hasWork()) return;
      this.#running = this.#run().finally(() => {
        this.#running = undefined;
        this.#schedule();
      });
    });
  }

  #hasWork(): boolean {
    if (this.#state !== "open") return false;
    if (this.#settlement.isDue) return true;
    // While the broker is away, what is taken in is bounded by what waits to go out.
    if (this.#outbox.size > this.#ports.limits.outboxEntries) return false;
    return this.#timersDue || this.#intake.size > 0;
  }

  async #run(): Promise<void> {
    try {
      while (this.#hasWork()) await this.#batch();
    } catch (error) {
      this.#end(textOf(error));
    }
  }

  async #batch(): Promise<void> {
    const { clock, observer, fail } = this.#ports;
    const timers = this.#timersDue ? await this.#dueTimers() : [];
    const arrivals = [...timers, ...this.#intake.take()];
    if (arrivals.length === 0 && !this.#settlement.isDue) return;
    this.#settlement.done();
    const startedAt = clock.monotonic();
    this.#pulse.took(arrivals.length);
    const committed = await this.#trials.commit(arrivals);
    fail?.("committed");
    this.#pulse.committed();
    if (this.#state === "ended") return;
    // What goes out is waited for, acknowledgements are not.
    aftermath(this.#aftermathPorts(), committed);
    const deliveries = arrivals.flatMap(({ receipt }) => receipt.delivery ?? []);
    this.#feed.ack(deliveries);
    this.#catchUp.handled(deliveries.length);
    const durationMs = clock.monotonic() - startedAt;
    const { number: partition } = this;
    observer.observe({ kind: "committed", partition, messages: arrivals.length, durationMs });
  }

  #aftermathPorts(): AftermathPorts {
    return {
      ports: this.#ports,
      cache: this.#cache,
      watchers: this.#watchers,
      send: (entries) => this.#dispatch.send(entries),
      abort: (run) => this.#activities.abort(run),
      arm: (due) => this.#wakeUp.arm(due),
    };
  }

  async #dueTimers(): Promise<readonly Arrival[]> {
    const { store, clock, storeClock, limits } = this.#ports;
    this.#timersDue = false;
    const sentAt = clock.monotonic();
    const due = await this.#ask(store.due(this.number, limits.batchMessages));
    storeClock.learn(sentAt, due.now);
    this.#wakeUp.reset();
    if (due.rows.length >= limits.batchMessages) this.#timersDue = true;
    else if (due.nextDue !== undefined) this.#wakeUp.arm(due.nextDue);
    if (due.rows.length > 0) this.#ports.fail?.("timer-due");
    return timerArrivals(due.rows);
  }

  #ask<T>(asked: Promise<T>): Promise<T> {
    const { clock, limits } = this.#ports;
    return within(clock, limits.storeDeadlineMs, asked, "The store");
  }
}
