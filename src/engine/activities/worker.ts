import type { ActivityRun } from "../../activity.ts";
import { instanceHeader } from "../../message.ts";
import { partitionOf } from "../../routing.ts";
import type { OpenSpan } from "../../tracer.ts";
import type { Consumer, Delivery } from "../../transport.ts";
import type { ActivityReport, Outcome } from "../arrival.ts";
import { within } from "../deadline.ts";
import { type EnginePorts, textOf } from "../ports.ts";
import type { Registry } from "../registry.ts";
import { readTask } from "../stored-text.ts";
import { leaseTimer, timerId } from "../timer-id.ts";
import { Turn } from "../turn.ts";
import { TurnPublisher } from "../turn-publisher.ts";
import { type ActivityTask, jsonMessage, type WorkLimits, wire } from "../wire.ts";
import { LazyAbortController } from "./lazy-abort-controller.ts";
import { runAttempt } from "./run-attempt.ts";
import { beginAttempt, observationOf } from "./trace-attempt.ts";

/** Code of queued activities, by workflow and by the name that its machine has for them. */
export type WorkerActivities = Readonly<Record<string, Readonly<Record<string, ActivityRun>>>>;

/** The queued activities whose code the registered workflows bring along. */
export function queuedActivities(registry: Registry): WorkerActivities {
  const found: Record<string, Record<string, ActivityRun>> = {};
  for (const { workflow } of registry.all()) {
    for (const [name, { options, run }] of workflow.activities) {
      if (options.local || run === undefined) continue;
      found[workflow.name] = { ...found[workflow.name], [name]: run };
    }
  }
  return found;
}

export interface WorkerOptions {
  readonly activities: WorkerActivities;
  readonly concurrency: number;
}

/** One consumer of one queue, and what it has delivered: only it can acknowledge that. */
interface Session {
  readonly queue: string;
  readonly run: ActivityRun;
  consumer: Consumer | undefined;
  /** Acknowledged before the consumer was known. */
  readonly early: Delivery[];
  /** Those of one turn go in one frame: the queue writes its log for each. */
  readonly acknowledged: Turn<Delivery>;
  ended: boolean;
}

const reportRetryMs = 500;
const restartMs = 1_000;

/**
 * Runs queued activities. The lease of an attempt is its timer row in the store: to take a task is to move that
 * row, a heartbeat moves it on, and once it is gone the result is no longer wanted. The message is acknowledged
 * as soon as the lease holds, since the broker does not let a delivery live for long.
 */
export class ActivityWorker {
  readonly #ports: EnginePorts;
  readonly #options: WorkerOptions;
  readonly #sessions = new Set<Session>();
  readonly #running = new Set<Promise<void>>();
  readonly #controllers = new Set<LazyAbortController>();
  readonly #publisher: TurnPublisher;
  #stopped = false;

  constructor(ports: EnginePorts, options: WorkerOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#publisher = new TurnPublisher(ports);
  }

  async start(): Promise<void> {
    const { names, transport } = this.#ports;
    for (const [workflow, activities] of Object.entries(this.#options.activities)) {
      for (const [name, run] of Object.entries(activities)) {
        const queue = names.activity(workflow, name);
        await transport.declare({ queues: [{ name: queue, kind: "work" }], bindings: [] });
        await this.#consume(queue, run);
      }
    }
  }

  /** Takes nothing more, lets what runs come to its end for up to `deadlineMs`, then aborts it. */
  async stop(deadlineMs = 8_000): Promise<void> {
    this.#stopped = true;
    const { clock } = this.#ports;
    const ended = Promise.all(this.#running).then(() => undefined);
    await within(clock, deadlineMs, ended, "An activity").catch(() => undefined);
    for (const controller of this.#controllers) controller.abort();
    await Promise.all([...this.#sessions].map(async ({ consumer }) => consumer?.close()));
  }

  async #consume(queue: string, run: ActivityRun): Promise<void> {
    const acknowledged = new Turn<Delivery>(this.#ports.clock, (all) => acknowledge(session, all));
    const begun = { consumer: undefined, early: [], ended: false };
    const session: Session = { queue, run, acknowledged, ...begun };
    const consumer = await this.#ports.transport.consume({
      queue,
      prefetch: this.#options.concurrency,
      deliver: (delivery) => {
        if (this.#stopped) return;
        const work = this.#take(session, delivery).finally(() => this.#running.delete(work));
        this.#running.add(work);
      },
      lost: (reason) => {
        this.#trouble(`the consumer of ${queue} ended: ${reason}`);
        this.#renew(session);
      },
    });
    if (session.ended || this.#stopped) return consumer.close();
    session.consumer = consumer;
    this.#sessions.add(session);
    consumer.ack(session.early);
  }

  /** Ends a session once and begins another one later, until one begins. */
  #renew(session: Session): void {
    if (session.ended) return;
    session.ended = true;
    this.#sessions.delete(session);
    const { queue, run } = session;
    const again = () => {
      if (this.#stopped) return;
      this.#consume(queue, run).catch(() => this.#ports.clock.after(restartMs, again));
    };
    this.#ports.clock.after(restartMs, again);
  }

  async #take(session: Session, delivery: Delivery): Promise<void> {
    const { transport, fail } = this.#ports;
    const { message } = delivery;
    fail?.("task-delivered");
    const isOurs = message.userId === transport.user && message.type === wire.activity;
    const body = isOurs ? readTask(message.body) : undefined;
    if (body === undefined) {
      this.#trouble(
        `${session.queue} holds a message that is no task of the engine; it was dropped`,
      );
      return session.acknowledged.add(delivery);
    }
    // Without an answer of the store the task stays unacknowledged and is handed out again.
    const wanted = await this.#lease(body, body.leaseMs).catch((error: unknown) => {
      this.#trouble(textOf(error));
      return undefined;
    });
    if (wanted === undefined) return this.#giveBack(session);
    fail?.("task-leased");
    session.acknowledged.add(delivery);
    fail?.("task-acknowledged");
    if (!wanted) return;
    const { headers } = message;
    const span = beginAttempt(this.#ports.tracer, { task: body, kind: "consumer", headers });
    const { clock, observer } = this.#ports;
    const startedAt = clock.monotonic();
    const outcome = await this.#attempt(session.run, body, span);
    const durationMs = clock.monotonic() - startedAt;
    observer.observe(observationOf({ task: body, outcome, durationMs }), span.headers);
    fail?.("task-ended");
    await this.#report(body, outcome, span.headers);
    fail?.("task-reported");
  }

  /** The store is away: ends the consumer, so that its tasks return to the queue, and begins again later. */
  async #giveBack(session: Session): Promise<void> {
    this.#renew(session);
    await session.consumer?.close();
  }

  async #attempt(
    run: ActivityRun,
    task: ActivityTask & WorkLimits,
    span: OpenSpan,
  ): Promise<Outcome> {
    const { clock } = this.#ports;
    const controller = new LazyAbortController();
    this.#controllers.add(controller);
    const beat = () => {
      void this.#lease(task, task.leaseMs)
        .then((wanted) => wanted || controller.abort())
        .catch((error: unknown) => this.#trouble(textOf(error)));
    };
    // Without heartbeats of its own the code is still asked for: a cancelled one is noticed halfway.
    const { startToCloseMs, heartbeatMs } = task;
    const limits = { startToCloseMs, heartbeatMs };
    try {
      return await runAttempt({ run, task, controller, clock, limits, span, heartbeat: beat });
    } finally {
      this.#controllers.delete(controller);
    }
  }

  #lease(task: ActivityTask, leaseMs: number): Promise<boolean> {
    const { store, partitions, clock, limits } = this.#ports;
    const { key, generation, activity, attempt } = task;
    const id = timerId({ key, generation, name: leaseTimer(activity, attempt) });
    const asked = store.postpone(partitionOf(key, partitions), id, leaseMs);
    return within(clock, limits.storeDeadlineMs, asked, "The store");
  }

  async #report(
    task: ActivityTask,
    outcome: Outcome,
    trace: Readonly<Record<string, string>>,
  ): Promise<void> {
    const { names, partitions, clock } = this.#ports;
    const { key, activity, generation, attempt } = task;
    const report: ActivityReport = { activity, generation, attempt, outcome };
    const id = `${key}/${activity}/${generation}#${attempt}:result`;
    const headers = { ...trace, [instanceHeader]: key };
    const message = jsonMessage({ id, type: wire.result, headers }, report);
    const routingKey = names.partition(partitionOf(key, partitions));
    for (;;) {
      const confirmation = await this.#publisher.publish({ exchange: "", routingKey, message });
      // What cannot be reported now is run again when its lease is over.
      if (confirmation === "confirmed" || this.#stopped) return;
      await new Promise<void>((resolve) => {
        clock.after(reportRetryMs, resolve);
      });
    }
  }

  #trouble(message: string): void {
    this.#ports.observer.observe({ kind: "trouble", where: "engine", message });
  }
}

function acknowledge({ consumer, early }: Session, deliveries: readonly Delivery[]): void {
  if (consumer === undefined) early.push(...deliveries);
  else consumer.ack(deliveries);
}
