import type { Durability, PartitionStatus } from "../../store.ts";
import type { TransportState } from "../../transport.ts";

/** A partition and for how long something has been so with it. */
export interface Lasting {
  readonly partition: number;
  readonly forMs: number;
}

/** Instances of one workflow that may need somebody. */
export interface InstanceCounts {
  readonly workflow: string;
  readonly failed: number;
  readonly suspended: number;
  readonly stuck: number;
}

/** What the store and the broker say when they are asked. */
export interface Survey {
  readonly partitions: readonly PartitionStatus[];
  /** Why the store could not be asked. */
  readonly storeTrouble?: string;
  /** Messages that wait at the broker, of partitions owned here or by nobody. */
  readonly queues: readonly { readonly partition: number; readonly messages: number }[];
  readonly overdueTimers: number;
  readonly instances: readonly InstanceCounts[];
  /** Instances that keep events waiting, and the hour since which one does (milliseconds, store's clock). */
  readonly waitingInstances: number;
  readonly waitingSince?: number;
}

/** What outlives a crash, by what was found out about the servers. */
export interface Endurance {
  readonly store: Durability;
  readonly broker: Durability;
  /** What an operator should change about the store, a sentence each. */
  readonly advice: readonly string[];
}

/** Everything that health is judged by. */
export interface Facts extends Survey {
  /** Whether an engine runs in this process. */
  readonly engine: boolean;
  readonly owned: readonly number[];
  readonly partitionCount: number;
  readonly broker: TransportState;
  readonly durability: Endurance;
  readonly ownerless: readonly Lasting[];
  readonly stalled: readonly Lasting[];
  readonly oldestOverdueMs: number;
  readonly oldestOutboxMs: number;
  readonly oldestWaitingMs: number;
  readonly clockSkewMs: number;
  readonly clockJump?: { readonly byMs: number; readonly agoMs: number };
  readonly loopLagMs: number;
  readonly loopBlocked?: { readonly durationMs: number; readonly agoMs: number };
  /** States that nothing known leads out of, `workflow: state`. */
  readonly deadEnds: readonly string[];
  /** Commits that the store had lost, a sentence for each partition. */
  readonly rollbacks: readonly string[];
}

/** Something that an operator should know. A `problem` keeps this process from taking work. */
export interface Finding {
  /** Stable; `docs/operations.md` has a row for each. */
  readonly code: string;
  readonly severity: "problem" | "warning";
  /** What it is about: it is told again when this changes. */
  readonly about: string;
  readonly message: string;
  readonly action: string;
}
