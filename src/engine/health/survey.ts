import type { PartitionStatus } from "../../store.ts";
import { within } from "../deadline.ts";
import { type EnginePorts, textOf } from "../ports.ts";
import { stuckTerm } from "../stuck.ts";
import { anyWaitingTerm, hourTerms } from "../waiting-since.ts";
import type { InstanceCounts, Survey } from "./facts.ts";
import type { HealthLimits } from "./limits.ts";

/** Waiting events older than this are known to be that old and no more. */
const mostHours = 72;
const hourMs = 3_600_000;
/** Of overdue timers and of partitions that have them, no more are asked for. */
const mostTimers = 1_000;
const mostPartitions = 64;

const statuses = { failed: "status:failed", suspended: "status:suspended", stuck: stuckTerm };

type Deep = Omit<Survey, "partitions" | "storeTrouble">;

const nothing: Deep = { queues: [], overdueTimers: 0, instances: [], waitingInstances: 0 };

/**
 * Asks store and broker how things are: once for all who want to know at the same time, and not again while the answer
 * is fresh, so that a flood of probes costs them nothing.
 */
export class Surveyor {
  readonly #ports: EnginePorts;
  readonly #limits: HealthLimits;
  #last: { readonly at: number; readonly survey: Promise<Survey> } | undefined;
  #deep = nothing;
  #deepAt: number | undefined;
  #isFirst = true;

  constructor(ports: EnginePorts, limits: HealthLimits) {
    this.#ports = ports;
    this.#limits = limits;
  }

  look(owned: readonly number[]): Promise<Survey> {
    const now = this.#ports.clock.monotonic();
    if (this.#last !== undefined && now - this.#last.at < this.#limits.surveyMs) {
      return this.#last.survey;
    }
    const survey = this.#ask(owned);
    this.#last = { at: now, survey };
    return survey;
  }

  async #ask(owned: readonly number[]): Promise<Survey> {
    const { store } = this.#ports;
    try {
      const partitions = await this.#within(store.partitions());
      const asking = this.#askDeeply(partitions, owned);
      if (this.#isFirst) await asking;
      this.#isFirst = false;
      return { partitions, ...this.#deep };
    } catch (error) {
      return { partitions: [], storeTrouble: textOf(error), ...this.#deep };
    }
  }

  /** What costs a question for each workflow or partition is asked less often, and nobody waits for it. */
  async #askDeeply(
    partitions: readonly PartitionStatus[],
    owned: readonly number[],
  ): Promise<void> {
    const now = this.#ports.clock.monotonic();
    if (this.#deepAt !== undefined && now - this.#deepAt < this.#limits.deepSurveyMs) return;
    this.#deepAt = now;
    try {
      const [queues, overdueTimers, counts] = await Promise.all([
        this.#queues(partitions, owned),
        this.#overdue(partitions),
        this.#counts(),
      ]);
      this.#deep = { queues, overdueTimers, ...counts };
    } catch {
      // The last answer stands until the next time; that the store is away is told by the other question.
    }
  }

  /** The owner knows its queues; those of nobody's partitions are of interest to all. */
  async #queues(
    partitions: readonly PartitionStatus[],
    owned: readonly number[],
  ): Promise<Survey["queues"]> {
    const { transport, names } = this.#ports;
    if (transport.state().status === "down") return [];
    const nobodys = partitions.filter(({ owner }) => owner === undefined);
    const asked = new Set([...owned, ...nobodys.map(({ partition }) => partition)]);
    const found = [...asked].slice(0, mostPartitions).map(async (partition) => {
      const depth = this.#within(transport.depth(names.partition(partition)));
      const messages = await depth.catch(() => 0);
      return { partition, messages };
    });
    return Promise.all(found);
  }

  async #overdue(partitions: readonly PartitionStatus[]): Promise<number> {
    const { store, storeClock } = this.#ports;
    const limit = storeClock.earliest() - this.#limits.timerOverdueMs;
    const late = partitions.filter(({ nextDue = Infinity }) => nextDue <= limit);
    const asked = late
      .slice(0, mostPartitions)
      .map(({ partition }) => this.#within(store.due(partition, mostTimers)));
    return (await Promise.all(asked)).reduce((sum, { rows }) => sum + rows.length, 0);
  }

  async #counts(): Promise<Pick<Survey, "instances" | "waitingInstances" | "waitingSince">> {
    const { registry, store, storeClock } = this.#ports;
    const hours = hourTerms(storeClock.latest(), mostHours);
    const terms = [...Object.values(statuses), anyWaitingTerm, ...hours.map(([term]) => term)];
    const counted = registry.names().map(async (workflow) => {
      return [workflow, await this.#within(store.count(workflow, terms))] as const;
    });
    const counts = await Promise.all(counted);
    const total = (term: string) => counts.reduce((sum, [, one]) => sum + (one[term] ?? 0), 0);
    const waitingInstances = total(anyWaitingTerm);
    const inHours = hours.reduce((sum, [term]) => sum + total(term), 0);
    const [, since] = hours.find(([term]) => total(term) > 0) ?? [];
    const [, first = 0] = hours[0] ?? [];
    const waitingSince = waitingInstances > inHours ? first - hourMs : since;
    return {
      instances: counts.map(([workflow, one]) => countsOf(workflow, one)),
      waitingInstances,
      ...(waitingSince !== undefined && { waitingSince }),
    };
  }

  #within<T>(asked: Promise<T>): Promise<T> {
    const { clock, limits } = this.#ports;
    return within(clock, limits.storeDeadlineMs, asked, "The store");
  }
}

function countsOf(workflow: string, counts: Readonly<Record<string, number>>): InstanceCounts {
  const count = (status: keyof typeof statuses) => counts[statuses[status]] ?? 0;
  return {
    workflow,
    failed: count("failed"),
    suspended: count("suspended"),
    stuck: count("stuck"),
  };
}
