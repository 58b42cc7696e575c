import type { Commit } from "../../src/commit.ts";
import { parseEngineTimer, parseTimerId } from "../../src/engine/timer-id.ts";
import type { Observation } from "../../src/observer.ts";
import type { MemoryStoreData, PartitionData } from "../../src/stores/memory/store-data.ts";
import type { Chance } from "./chance.ts";
import type { Recorder } from "./recorder.ts";
import type { Scheduler } from "./scheduler.ts";

type Handover = Extract<Observation, { kind: "partition" }> & { readonly process: string };
type Report = Extract<Observation, { kind: "rollback" }>;

interface Snapshot {
  readonly at: number;
  readonly partitions: readonly PartitionData[];
  readonly members: MemoryStoreData["members"];
}

/** Commits that the store has taken and forgotten again. */
interface Loss {
  readonly partition: number;
  readonly at: number;
  /** How many commits the recorder had logged by then. */
  readonly logged: number;
  readonly commits: readonly Pick<Commit, "commitId" | "epoch">[];
  /** The same with those that nobody was told of: what came after one of them can be written again only with it. */
  readonly chain: readonly Pick<Commit, "epoch">[];
}

/** Until a worker takes its task, a lease has no end. */
const never = 8.64e15;
/** So much of what it was told last a store may forget that syncs its file once a second. */
const longestTailMs = 1_000;
const snapshotMs = 100;
/** A process that is frozen, or without the store, for longer than its lease is not expected to keep a partition. */
const steadyMs = 6_000;

/** The end of the store's log that is not safe yet, and what becomes of it when power fails. */
export class Tail {
  readonly #recorder: Recorder;
  readonly #scheduler: Scheduler;
  #snapshots: Snapshot[] = [];
  readonly #losses: Loss[] = [];
  readonly #handovers: (Handover & { readonly at: number })[] = [];
  readonly #reports: (Report & { readonly at: number })[] = [];
  readonly #freezes: { readonly process: string; readonly at: number }[] = [];
  /** By process and partition: when the store last did what has told the process where it stands. */
  readonly #looks = new Map<string, number>();
  /** Ids of timers: leases that workers had taken. */
  readonly #lostLeases = new Set<string>();

  constructor(recorder: Recorder, scheduler: Scheduler) {
    this.#recorder = recorder;
    this.#scheduler = scheduler;
  }

  /** From now on it is known what the store held at any time of the last second. */
  begin(): void {
    const { now } = this.#scheduler;
    const { data } = this.#recorder;
    const [partitions, members] = [data.partitions.map(copyOf), new Map(data.members)];
    const young = this.#snapshots.filter(({ at }) => at > now - longestTailMs + snapshotMs);
    this.#snapshots = [...young, { at: now, partitions, members }];
    this.#scheduler.at(snapshotMs, () => this.begin());
  }

  /** Forgets the end: of the whole store, or of some shards, each from a moment of its own. */
  lose(chance: Chance): number {
    const whole = chance.hit(0.5) ? chance.pick(this.#snapshots) : undefined;
    let count = 0;
    const ofMembers = whole ?? (chance.hit(0.6) ? chance.pick(this.#snapshots) : undefined);
    if (ofMembers !== undefined) this.#recorder.data.members = new Map(ofMembers.members);
    for (const [partition, { sequence }] of this.#recorder.data.partitions.entries()) {
      const snapshot = whole ?? (chance.hit(0.6) ? chance.pick(this.#snapshots) : undefined);
      const before = snapshot?.partitions[partition];
      if (before === undefined || before.sequence >= sequence) continue;
      const all = this.#recorder.lastCommits(partition, sequence - before.sequence);
      // What nobody was told of may be lost: nothing was acknowledged or sent out for it.
      const commits = all.filter(({ commitId }) => this.#recorder.answered.has(commitId));
      this.#noteLeases(partition, before);
      this.#recorder.rollBack(partition, copyOf(before));
      const { length: logged } = this.#recorder.log;
      const { now: at } = this.#scheduler;
      this.#losses.push({ partition, at, logged, commits, chain: all });
      count += commits.length;
    }
    // What was written later is no end of this log any more.
    this.#snapshots = [];
    return count;
  }

  handedOver(process: string, change: Extract<Observation, { kind: "partition" }>): void {
    this.#handovers.push({ ...change, process, at: this.#scheduler.now });
  }

  reported(report: Report): void {
    this.#reports.push({ ...report, at: this.#scheduler.now });
  }

  frozen(process: string): void {
    this.#freezes.push({ process, at: this.#scheduler.now });
  }

  /** The store has told a process where a partition stands, by what it did at that time. */
  looked(process: string, partition: number, at: number): void {
    this.#looks.set(`${process} ${partition}`, at);
  }

  /** A process gives a partition away: not before it has written again what it has seen to be lost. */
  releasing(process: string, partition: number): void {
    const lookedAt = this.#looks.get(`${process} ${partition}`) ?? 0;
    for (const loss of this.#losses) {
      if (loss.partition !== partition || loss.at > lookedAt) continue;
      const isOwn = this.#authors(loss, loss.chain).every((author) => author === process);
      const isOver = this.#isTold(loss) || this.#claimsAfter(loss).length > 0;
      if (!isOwn || isOver || this.#missing(loss).length === 0) continue;
      this.#recorder.violate(`${process} gave p${partition} away without what it knew to be lost`);
    }
  }

  /** Whether anything was ever lost. */
  get hasLost(): boolean {
    return this.#losses.length > 0;
  }

  /** Whether everything that was ever lost has been written again. */
  get isWhole(): boolean {
    return this.#losses.every((loss) => this.#missing(loss).length === 0) && !this.#hasOrphans;
  }

  /** Losses that should have been made good, and losses of which somebody knows and nobody speaks. */
  problems(isAlive: (process: string) => boolean): readonly string[] {
    return this.#losses.flatMap((loss) => {
      const missing = this.#missing(loss);
      if (missing.length === 0) return [];
      const { partition, at, commits } = loss;
      const what = `p${partition}: ${missing.length} of the ${commits.length} commits lost at ${at}`;
      const authors = this.#authors(loss, commits);
      const ofChain = this.#authors(loss, loss.chain);
      if (this.#isExpectedBack(loss, ofChain, isAlive)) return [`${what} were not written again`];
      const isKnown = authors.some((author) => author !== undefined && isAlive(author));
      const isSeen = isKnown && !this.#isHidden(loss, authors);
      return isSeen && !this.#isTold(loss) ? [`${what} are missing, and nobody says so`] : [];
    });
  }

  /** Tasks of older commits that nobody is at: the store has forgotten that a worker took them, and he is gone. */
  get #hasOrphans(): boolean {
    const { partitions } = this.#recorder.data;
    return [...this.#lostLeases].some((id) =>
      partitions.some(({ timers }) => timers.get(id) === never),
    );
  }

  #noteLeases(partition: number, before: PartitionData): void {
    for (const [id, due] of this.#recorder.data.partitions[partition]?.timers ?? []) {
      const isLease = parseEngineTimer(parseTimerId(id)?.name ?? "")?.kind === "lease";
      if (isLease && due < never && before.timers.get(id) === never) {
        this.#lostLeases.add(id);
      }
    }
  }

  #isTold({ partition, at }: Loss): boolean {
    return this.#reports.some((one) => one.partition === partition && one.at >= at);
  }

  #authors(
    { partition, at }: Pick<Loss, "partition" | "at">,
    commits: readonly Pick<Commit, "epoch">[],
  ): readonly (string | undefined)[] {
    const claims = this.#claims(partition).filter((one) => one.at <= at);
    // An epoch that was lost may have been given out again.
    return commits.map(({ epoch }) => claims.findLast((one) => one.epoch === epoch)?.process);
  }

  #missing({ commits, logged }: Loss): readonly string[] {
    const again = new Set(this.#recorder.log.slice(logged).map(({ commitId }) => commitId));
    return commits.map(({ commitId }) => commitId).filter((id) => !again.has(id));
  }

  /** One process has made them all, it lives, it was awake, and nobody else took the partition before it came back. */
  #isExpectedBack(
    { partition, at }: Loss,
    authors: readonly (string | undefined)[],
    isAlive: (process: string) => boolean,
  ): boolean {
    const [author] = authors;
    if (author === undefined || !isAlive(author)) return false;
    if (authors.some((one) => one !== author)) return false;
    const slept = this.#freezes.some(
      (one) => one.process === author && Math.abs(one.at - at) < steadyMs,
    );
    const [next] = this.#claimsAfter({ partition, at });
    const again = this.#losses.some((one) => one.partition === partition && one.at > at);
    return !slept && !again && (next === undefined || next.process === author);
  }

  /** The next owner was given an epoch that an author has had, and has written nothing, or another hides where he began. */
  #isHidden(loss: Loss, authors: readonly (string | undefined)[]): boolean {
    const [first, second] = this.#claimsAfter(loss).filter(
      ({ process }) => !authors.includes(process),
    );
    const epochs = loss.commits.map(({ epoch }) => epoch);
    const written = this.#recorder.log.slice(loss.logged);
    const isIdle = written.every(({ partition }) => partition !== loss.partition);
    if (first === undefined || first.epoch > Math.max(...epochs)) return false;
    return second !== undefined || isIdle;
  }

  #claimsAfter({ partition, at }: Pick<Loss, "partition" | "at">): readonly Handover[] {
    return this.#claims(partition).filter((one) => one.at > at);
  }

  #claims(partition: number): readonly (Handover & { readonly at: number })[] {
    return this.#handovers.filter((one) => one.partition === partition && one.change === "claimed");
  }
}

function copyOf(data: PartitionData): PartitionData {
  return {
    ...data,
    instances: new Map(data.instances),
    histories: new Map([...data.histories].map(([key, entries]) => [key, [...entries]])),
    outbox: new Map(data.outbox),
    timers: new Map(data.timers),
    deadLetters: new Map(data.deadLetters),
  };
}
