import type { DeadLetterReason } from "../observer.ts";
import type { Page, PartitionStatus } from "../store.ts";

/** Where an instance is in its life. `failed`: an event threw; it waits for an operator. */
export type InstanceStatus = "active" | "done" | "error" | "stopped" | "failed" | "suspended";

/** An XState state value: a name, or a record of regions. */
export type StateValue = string | { readonly [region: string]: StateValue | undefined };

/** A running instance as anyone may see it. Times are milliseconds since the Unix epoch. */
export interface InstanceView {
  readonly workflow: string;
  readonly id: string;
  /** The definition's version that it runs on. */
  readonly definition: string;
  /** +1 for every event applied, and for what an operator does to it; its ETag. */
  readonly version: number;
  readonly status: InstanceStatus;
  /** Set while nothing known can move an active instance; `advice` says why, and what to do. */
  readonly stuck?: true;
  readonly advice?: string;
  readonly state: StateValue;
  readonly tags: readonly string[];
  readonly context: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly timers: readonly { readonly name: string; readonly due: number }[];
  readonly activities: readonly {
    readonly id: string;
    readonly name: string;
    readonly attempt: number;
  }[];
  /** The event types that the present state reacts to. */
  readonly accepts: readonly string[];
  /** Events that wait: deferred by the state, or held behind one that failed. */
  readonly waiting: number;
  /** The ids of the trace it began in and of that of its last step. Absent while nobody has traced it. */
  readonly traces?: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a requester waits for: the end (`done`), or a state or tag being reached. */
export type Until = "done" | `state:${string}` | `tag:${string}`;

export interface StartRequest {
  readonly workflow: string;
  readonly input: unknown;
  /** The caller's own id; else the workflow's `instanceId(input)`, else from the key, else a new UUID. */
  readonly id?: string;
  /** Makes the request repeatable: the message id. */
  readonly idempotencyKey?: string;
  /** When the id exists already; `same-input` answers the existing one if its input is equal, else refuses. */
  readonly onConflict?: "same-input" | "reject" | "use-existing" | "terminate-existing";
  readonly traceHeaders?: Readonly<Record<string, string>>;
}

export interface SendRequest {
  readonly workflow: string;
  readonly id: string;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly idempotencyKey?: string;
  /** Refuse unless the instance has this version when the event is handled. */
  readonly ifVersion?: number;
  readonly traceHeaders?: Readonly<Record<string, string>>;
}

/** `accepted`: safe in the broker, not yet handled. */
export type StartResult =
  | { readonly outcome: "created" | "existing"; readonly instance: InstanceView }
  | { readonly outcome: "accepted"; readonly id: string };

export type SendResult =
  | { readonly outcome: "applied" | "duplicate"; readonly instance: InstanceView }
  | {
      readonly outcome: "deferred" | "held" | "parked" | "ignored" | "accepted";
      readonly instance?: InstanceView;
    };

/** What an event would do. Nothing was done. */
export interface DryRun {
  readonly accepted: boolean;
  readonly state: StateValue;
  readonly status: InstanceStatus;
  readonly emits: readonly { readonly type: string; readonly payload: unknown }[];
  readonly timersArmed: readonly { readonly name: string; readonly delayMs: number }[];
  readonly timersCancelled: readonly string[];
  readonly activitiesStarted: readonly { readonly name: string; readonly input: unknown }[];
  readonly activitiesStopped: readonly string[];
}

/** A definition that this process knows. Schemas are JSON Schema where the validator can express them. */
export interface WorkflowView {
  readonly name: string;
  readonly versions: readonly string[];
  readonly states: readonly string[];
  readonly startedBy: readonly string[];
  readonly input?: unknown;
  readonly events: readonly { readonly type: string; readonly schema?: unknown }[];
  readonly emits: readonly { readonly type: string; readonly schema?: unknown }[];
  /** Instances by `status:…`, `state:…` and `tag:…`. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface ListRequest {
  readonly workflow: string;
  readonly status?: string;
  readonly state?: string;
  readonly tag?: string;
  /** Only instances that nothing known can move. */
  readonly stuck?: true;
  /** Only instances that keep events waiting. */
  readonly waiting?: true;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly updatedAfter?: number;
  readonly limit?: number;
  readonly cursor?: string;
}

/** One thing that happened to an instance, in order. */
export interface HistoryEntry {
  readonly number: number;
  readonly at: number;
  readonly version: number;
  readonly type: string;
  readonly messageId?: string;
  readonly payload?: unknown;
  readonly state: StateValue;
  readonly traceId?: string;
}

export interface DeadLetter {
  /** Unique among all dead letters. */
  readonly id: string;
  /** The message's own id, if it had one. */
  readonly messageId?: string;
  readonly partition: number;
  readonly at: number;
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly key?: string;
  readonly type?: string;
  readonly body: string;
  /** How often it was sent again before it ended here. */
  readonly redrives: number;
}

/** Which dead letters; a page may hold fewer than `limit`, and more may follow all the same. */
export interface DeadLetterQuery {
  /** The workflow of the instance that they were for. */
  readonly workflow?: string;
  readonly reason?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

/** An operator's wish for one instance. */
export interface ControlRequest {
  readonly workflow: string;
  readonly id: string;
  /** Makes the request repeatable: the message id. */
  readonly idempotencyKey?: string;
  readonly traceHeaders?: Readonly<Record<string, string>>;
}

/** Which dead letters are sent again. */
export interface RedriveRequest {
  readonly workflow?: string;
  readonly reason?: string;
  /** Only those set aside before this time, in milliseconds since the Unix epoch. */
  readonly before: number;
  /** The most at once; 1000 unless given. */
  readonly limit?: number;
}

/** What became of them: how many were sent again, how many could not be, and whether the limit left some. */
export interface Redriven {
  readonly redriven: number;
  readonly refused: number;
  readonly more: boolean;
}

/** What can be measured from outside the instances; the store's and the broker's part is some seconds old. */
export interface Measures {
  /** Messages that wait at the broker, of partitions owned here or by nobody. */
  readonly queues: readonly { readonly partition: number; readonly messages: number }[];
  readonly ownerless: readonly number[];
  /** Partitions owned here that have had work for long and committed nothing. */
  readonly stalled: readonly number[];
  /** How long this process has had a message that the broker has not taken. */
  readonly oldestOutboxMs: number;
  readonly overdueTimers: number;
  readonly oldestOverdueTimerMs: number;
  readonly instances: readonly {
    readonly workflow: string;
    readonly failed: number;
    readonly suspended: number;
    readonly stuck: number;
  }[];
  /** Instances that keep events waiting, and for how long one surely does, by the hour. */
  readonly waitingInstances: number;
  readonly oldestWaitingMs: number;
  /** How far the store's clock is ahead of this process's. */
  readonly clockSkewMs: number;
  readonly eventLoopLagMs: number;
}

/** Whether work can be taken, and what is in the way. */
export interface Health {
  readonly ready: boolean;
  readonly problems: readonly string[];
  /** What an operator should look after, though work goes on: why, and what to do. */
  readonly warnings: readonly string[];
  /** The stable names of both. */
  readonly findings: readonly {
    readonly code: string;
    readonly severity: "problem" | "warning";
  }[];
  /** What the store survives, and the broker. */
  readonly durability: string;
  readonly brokerDurability: string;
  readonly broker: string;
  readonly partitions: readonly PartitionStatus[];
  /** Partitions owned by this process. */
  readonly owned: readonly number[];
  /** Absent while broker and store have not been reached. */
  readonly measures?: Measures;
}

/**
 * What HTTP, command line, dashboard and tests hold. Every refusal is a `WaybillError`; its codes:
 * `unknown-workflow`, `unknown-instance`, `invalid-id`, `invalid-payload`, `reserved-type`, `not-accepted`
 * (details: `accepts`, `state`), `exists`, `version-mismatch`, `ended`, `failed`, `too-large`, `overloaded` and
 * `unavailable` (both retryable), `deadline` (retryable: the outcome is not known yet; the same idempotency key is safe).
 */
export interface Client {
  start(request: StartRequest): Promise<Extract<StartResult, { instance: InstanceView }>>;
  /** Resolves as soon as the broker has the start. */
  startAsync(request: StartRequest): Promise<Extract<StartResult, { outcome: "accepted" }>>;
  send(request: SendRequest): Promise<SendResult>;
  /** Resolves as soon as the broker has the event. */
  sendAsync(request: SendRequest): Promise<{ readonly outcome: "accepted" }>;
  dryRun(request: SendRequest): Promise<DryRun>;
  get(workflow: string, id: string): Promise<InstanceView>;
  /** Resolves with the instance once it is there, or with its present state after `timeoutMs`. */
  wait(
    workflow: string,
    id: string,
    options: { readonly until?: Until; readonly timeoutMs: number },
  ): Promise<{ readonly reached: boolean; readonly instance: InstanceView }>;
  list(request: ListRequest): Promise<Page<InstanceView>>;
  history(
    workflow: string,
    id: string,
    options?: { readonly after?: number; readonly limit?: number },
  ): Promise<readonly HistoryEntry[]>;
  workflows(): Promise<readonly WorkflowView[]>;
  workflow(name: string): Promise<WorkflowView>;
  /** Clears a failure and plays what was held, in order; the instance fails again if it throws again. Refused: `not-failed`. */
  retry(request: ControlRequest): Promise<InstanceView>;
  /** Ends it at once: no exit action runs, and the parent of a child is told of an error. Refused: `ended`. */
  terminate(request: ControlRequest): Promise<InstanceView>;
  /** Holds events, timers and results, in order, until it is resumed. Refused: `suspended`, `failed`, `ended`. */
  suspend(request: ControlRequest): Promise<InstanceView>;
  /** Plays what was held. Refused: `not-suspended`, `ended`. */
  resume(request: ControlRequest): Promise<InstanceView>;
  deadLetters(query?: DeadLetterQuery): Promise<Page<DeadLetter>>;
  /**
   * Sends a dead letter again under a new message id, in the commit that removes it.
   * Refused: `unknown-dead-letter`; `held` while a failed instance waits with the event; `not-redrivable`.
   */
  redriveDeadLetter(id: string): Promise<void>;
  /** Removes a dead letter; from an instance that failed on it, the event too. Refused: `unknown-dead-letter`. */
  dropDeadLetter(id: string): Promise<void>;
  /**
   * Sends those again that are older than `before`, oldest first; what cannot be sent stays, and so does what is
   * `too-old`, unless `reason` asks for just that: it may have been applied, and would be once more.
   */
  redriveDeadLetters(request: RedriveRequest): Promise<Redriven>;
  health(): Promise<Health>;
}
