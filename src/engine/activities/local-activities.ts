import type { ActivityOptions, ActivityRun } from "../../activity.ts";
import type { Clock } from "../../clock.ts";
import type { Fail } from "../../failpoint.ts";
import type { Headers } from "../../message.ts";
import type { Observer } from "../../observer.ts";
import type { OpenSpan, Tracer } from "../../tracer.ts";
import type { Outcome, ResultArrival } from "../arrival.ts";
import { type Definition, policyOf, type Registry } from "../registry.ts";
import type { ActivityTask } from "../wire.ts";
import { LazyAbortController } from "./lazy-abort-controller.ts";
import { type AttemptLimits, runAttempt } from "./run-attempt.ts";
import { beginAttempt, observationOf } from "./trace-attempt.ts";

export interface LocalActivitiesOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly tracer: Tracer;
  /** A time that the store's clock has reached, in milliseconds. */
  readonly storeNow: () => number;
  /** Takes the result to the partition that asked for it. */
  readonly arrive: (result: ResultArrival) => void;
  readonly fail?: Fail | undefined;
}

interface Attempt {
  readonly run: ActivityRun;
  readonly task: ActivityTask;
  readonly controller: LazyAbortController;
  readonly policy: ActivityOptions;
  readonly span: OpenSpan;
}

/**
 * Runs the local activities of one partition. Nothing of this is durable: the outbox entry that asked for a run
 * stays until its result is committed, so the next owner runs it again under the same idempotency key.
 */
export class LocalActivities {
  readonly #options: LocalActivitiesOptions;
  readonly #running = new Map<string, LazyAbortController>();

  constructor(options: LocalActivitiesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#running.size;
  }

  start(seq: number, task: ActivityTask, headers: Headers): void {
    const definition = this.#definition(task);
    const run = definition?.workflow.activities.get(task.source)?.run;
    // Without the code it stays in the outbox, for an owner that has it.
    if (definition === undefined || run === undefined) return this.#tellMissing(task);
    const id = runId(task);
    this.#running.get(id)?.abort();
    const controller = new LazyAbortController();
    this.#running.set(id, controller);
    const policy = policyOf(definition, task.source);
    const span = beginAttempt(this.#options.tracer, { task, kind: "internal", headers });
    this.#options.fail?.("activity-started");
    void this.#attempt({ run, task, controller, policy, span }).then((outcome) => {
      if (this.#running.get(id) !== controller) return;
      this.#running.delete(id);
      this.#options.fail?.("activity-ended");
      const { key, activity, generation, attempt } = task;
      const receipt = { seq };
      this.#options.arrive({
        kind: "result",
        receipt,
        key,
        trace: span.headers,
        activity,
        generation,
        attempt,
        outcome,
      });
    });
  }

  isRunning(task: ActivityTask): boolean {
    return this.#running.has(runId(task));
  }

  /** Calls off a run, named `key#generation#activity`: its signal aborts and its result is dropped. */
  abort(id: string): void {
    this.#running.get(id)?.abort();
    this.#running.delete(id);
  }

  abortAll(): void {
    for (const controller of this.#running.values()) controller.abort();
    this.#running.clear();
  }

  #definition({ key, definition }: ActivityTask): Definition | undefined {
    return this.#options.registry.find(key.slice(0, key.indexOf("/")), definition);
  }

  #tellMissing({ key, source, definition }: ActivityTask): void {
    const message = `${key} waits: no code for the activity ${source} of version ${definition} is here`;
    this.#options.observer.observe({ kind: "trouble", where: "engine", message });
  }

  async #attempt({ run, task, controller, policy, span }: Attempt): Promise<Outcome> {
    const { clock, observer, storeNow } = this.#options;
    const startedAt = clock.monotonic();
    const { startToCloseMs, heartbeatMs } = policy;
    const leftMs = task.deadline === undefined ? Infinity : task.deadline - storeNow();
    const limits: AttemptLimits = { startToCloseMs: Math.min(startToCloseMs, leftMs), heartbeatMs };
    const outcome = await runAttempt({ run, task, controller, clock, limits, span });
    const durationMs = clock.monotonic() - startedAt;
    observer.observe(observationOf({ task, outcome, durationMs }), span.headers);
    return outcome;
  }
}

/** The name of a run: the same for all attempts. */
function runId({ key, generation, activity }: ActivityTask): string {
  return `${key}#${generation}#${activity}`;
}
