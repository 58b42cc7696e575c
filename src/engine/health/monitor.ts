import type { Cancel } from "../../clock.ts";
import type { PartitionStatus } from "../../store.ts";
import { deadEnds } from "../../workflow-dead-ends.ts";
import type { Health } from "../client.ts";
import type { EnginePorts } from "../ports.ts";
import type { Endurance, Facts, Finding, Lasting, Survey } from "./facts.ts";
import { findingsOf } from "./findings.ts";
import { type HealthLimits, healthLimits } from "./limits.ts";
import { LoopLag } from "./loop-lag.ts";
import { Surveyor } from "./survey.ts";
import type { PartitionVitals } from "./vitals.ts";

const hourMs = 3_600_000;

/** What of its process a monitor looks after. */
export interface Watched {
  /** The partitions that an engine in this process owns; undefined when there is none. */
  readonly owned?: () => readonly number[];
  readonly vitals?: () => readonly PartitionVitals[];
  /** What outlives a crash; without it only the store's own word counts. */
  readonly durability?: () => Endurance;
  readonly limits?: Partial<HealthLimits>;
}

/**
 * Knows whether this process can take work and what an operator should know. Whoever asks gets an answer that is a
 * second old at most; once begun, it looks by itself and tells the observer what changes.
 */
export class Monitor {
  readonly #ports: EnginePorts;
  readonly #watched: Watched;
  readonly #limits: HealthLimits;
  readonly #surveyor: Surveyor;
  readonly #loop: LoopLag;
  readonly #deadEnds: readonly string[];
  /** Since when a partition has been seen without an owner, in monotonic milliseconds. */
  readonly #ownerless = new Map<number, number>();
  /** Since when a partition has had work without a commit, and how many commits it had then. */
  readonly #idle = new Map<number, { readonly commits: number; readonly since: number }>();
  #told = new Map<string, Finding>();
  #cancel: Cancel | undefined;
  #ended = false;

  constructor(ports: EnginePorts, watched: Watched) {
    this.#ports = ports;
    this.#watched = watched;
    this.#limits = { ...healthLimits, ...watched.limits };
    this.#surveyor = new Surveyor(ports, this.#limits);
    const { clock, observer } = ports;
    this.#loop = new LoopLag({ clock, observer, blockedMs: this.#limits.loopBlockedMs });
    this.#deadEnds = deadEndsOf(ports);
  }

  /** Begins to look by itself. */
  begin(): void {
    this.#loop.start();
    this.#tellDurability();
    this.#lookOn();
  }

  end(): void {
    this.#ended = true;
    this.#loop.stop();
    this.#cancel?.();
  }

  async health(): Promise<Health> {
    const owned = this.#watched.owned?.() ?? [];
    const facts = this.#facts(await this.#surveyor.look(owned), owned);
    return healthOf(facts, findingsOf(facts, this.#limits), this.#limits);
  }

  #tellDurability(): void {
    const { store, broker } = this.#durability();
    const message = `The store's durability is ${store}, the broker's ${broker}.`;
    this.#ports.observer.observe({ kind: "durability", store, broker, message });
  }

  #durability(): Endurance {
    const { store } = this.#ports;
    const known = this.#watched.durability?.();
    return known ?? { store: store.durability(), broker: store.durability(), advice: [] };
  }

  #lookOn(): void {
    void this.#look()
      .catch(() => undefined)
      .then(() => {
        if (this.#ended) return;
        this.#cancel = this.#ports.clock.after(this.#limits.lookMs, () => this.#lookOn());
      });
  }

  async #look(): Promise<void> {
    const { observer } = this.#ports;
    const owned = this.#watched.owned?.() ?? [];
    const facts = this.#facts(await this.#surveyor.look(owned), owned);
    if (this.#ended) return;
    const now = new Map(byCode(findingsOf(facts, this.#limits)).map((one) => [one.code, one]));
    for (const [code, { severity, about, message, action }] of now) {
      if (this.#told.get(code)?.about === about) continue;
      const words = `${message.replace(/\.?$/, ".")} ${action}`;
      observer.observe({ kind: "finding", code, severity, change: "appeared", message: words });
    }
    for (const [code, { severity, message }] of this.#told) {
      if (now.has(code)) continue;
      const words = `Over: ${message}`;
      observer.observe({ kind: "finding", code, severity, change: "gone", message: words });
    }
    this.#told = now;
  }

  #facts(survey: Survey, owned: readonly number[]): Facts {
    const { storeClock, transport, partitions: partitionCount } = this.#ports;
    const now = storeClock.earliest();
    const known = this.#watched.vitals?.() ?? [];
    const nextDue = Math.min(...survey.partitions.map((one) => one.nextDue ?? Infinity));
    const unsent = Math.min(...known.map((one) => one.oldestUnsentAt ?? Infinity));
    const { waitingSince = now } = survey;
    const { lastJump } = storeClock;
    const { blocked } = this.#loop;
    return {
      ...survey,
      engine: this.#watched.owned !== undefined,
      owned,
      partitionCount,
      broker: transport.state(),
      durability: this.#durability(),
      ownerless: this.#withoutOwner(survey),
      stalled: this.#withoutProgress(survey, known),
      oldestOverdueMs: since(nextDue, now),
      oldestOutboxMs: since(unsent, now),
      // The index knows the hour.
      oldestWaitingMs: since(waitingSince + hourMs, now),
      clockSkewMs: storeClock.skewMs(),
      ...(lastJump !== undefined && { clockJump: lastJump }),
      loopLagMs: this.#loop.lagMs,
      ...(blocked !== undefined && { loopBlocked: blocked }),
      deadEnds: this.#deadEnds,
      rollbacks: this.#ports.rollbacks.warnings,
    };
  }

  #withoutOwner({ partitions, storeTrouble }: Survey): readonly Lasting[] {
    if (storeTrouble !== undefined) return [];
    const now = this.#ports.clock.monotonic();
    const owners = new Map(partitions.map(({ partition, owner }) => [partition, owner]));
    for (let partition = 0; partition < this.#ports.partitions; partition += 1) {
      if (owners.get(partition) !== undefined) this.#ownerless.delete(partition);
      else if (!this.#ownerless.has(partition)) this.#ownerless.set(partition, now);
    }
    return [...this.#ownerless].map(([partition, at]) => ({ partition, forMs: now - at }));
  }

  /** A partition stands still when there was work at each look and not one commit between them. */
  #withoutProgress(survey: Survey, vitals: readonly PartitionVitals[]): readonly Lasting[] {
    const now = this.#ports.clock.monotonic();
    const statuses = new Map(survey.partitions.map((one) => [one.partition, one]));
    const queued = new Map(survey.queues.map(({ partition, messages }) => [partition, messages]));
    const found = vitals.map(({ partition, commits, waiting }) => {
      const messages = waiting + (queued.get(partition) ?? 0);
      const before = this.#idle.get(partition);
      const hasWork = messages > 0 || this.#isOverdue(statuses.get(partition));
      const moved = !hasWork || before?.commits !== commits;
      const idle = moved || before === undefined ? { commits, since: now } : before;
      this.#idle.set(partition, idle);
      return { partition, forMs: now - idle.since };
    });
    return found.filter(({ forMs }) => forMs > 0);
  }

  #isOverdue(status: PartitionStatus | undefined): boolean {
    const limit = this.#ports.storeClock.earliest() - this.#limits.timerOverdueMs;
    return (status?.nextDue ?? Infinity) <= limit;
  }
}

function healthOf(facts: Facts, findings: readonly Finding[], { stalledMs }: HealthLimits): Health {
  const { broker, durability, partitions, owned } = facts;
  const problems = findings.filter(({ severity }) => severity === "problem");
  const warnings = findings.filter(({ severity }) => severity === "warning");
  return {
    ready: problems.length === 0,
    problems: problems.map(({ message }) => message),
    warnings: warnings.map(({ message, action }) => `${message} ${action}`.trim()),
    findings: byCode(findings).map(({ code, severity }) => ({ code, severity })),
    durability: durability.store,
    brokerDurability: durability.broker,
    broker: broker.status,
    partitions,
    owned,
    measures: {
      queues: facts.queues,
      ownerless: facts.ownerless.map(({ partition }) => partition),
      stalled: facts.stalled
        .filter(({ forMs }) => forMs >= stalledMs)
        .map(({ partition }) => partition),
      oldestOutboxMs: facts.oldestOutboxMs,
      overdueTimers: facts.overdueTimers,
      oldestOverdueTimerMs: facts.oldestOverdueMs,
      instances: facts.instances,
      waitingInstances: facts.waitingInstances,
      oldestWaitingMs: facts.oldestWaitingMs,
      clockSkewMs: facts.clockSkewMs,
      eventLoopLagMs: Math.round(facts.loopLagMs),
    },
  };
}

/** One of each code, that is about all that the code is about. */
function byCode(findings: readonly Finding[]): readonly Finding[] {
  return [...Map.groupBy(findings, ({ code }) => code).values()].flatMap(([first, ...rest]) => {
    if (first === undefined) return [];
    const all = [first, ...rest];
    const about = all.map((one) => one.about).join("; ");
    return [{ ...first, about, message: all.map(({ message }) => message).join(" ") }];
  });
}

/** How long ago that was; 0 when it was not, or is still to come. */
function since(at: number, now: number): number {
  return Number.isFinite(at) ? Math.max(0, now - at) : 0;
}

function deadEndsOf({ registry }: EnginePorts): readonly string[] {
  const children = new Set(
    registry.all().flatMap(({ workflow }) => [...workflow.children.values()]),
  );
  return registry
    .all()
    .flatMap(({ workflow }) =>
      deadEnds(workflow, children.has(workflow)).map((id) => `${id} of ${workflow.name}`),
    );
}
