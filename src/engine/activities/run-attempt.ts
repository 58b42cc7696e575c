import type { ActivityRun } from "../../activity.ts";
import type { Cancel, Clock } from "../../clock.ts";
import { toErrorRecord } from "../../errors.ts";
import type { OpenSpan } from "../../tracer.ts";
import type { Outcome } from "../arrival.ts";
import type { ActivityTask } from "../wire.ts";
import type { LazyAbortController } from "./lazy-abort-controller.ts";
import { endAttempt } from "./trace-attempt.ts";

export interface AttemptLimits {
  readonly startToCloseMs: number;
  readonly heartbeatMs?: number | undefined;
}

interface Attempt {
  readonly run: ActivityRun;
  readonly task: ActivityTask;
  readonly controller: LazyAbortController;
  readonly clock: Clock;
  readonly limits: AttemptLimits;
  /** Ended with the attempt; the code runs within it. */
  readonly span: OpenSpan;
  /** Told of every heartbeat of the user's code. */
  readonly heartbeat?: () => void;
}

/** Runs the user's code once, within its limits. It never rejects; a limit that passes aborts the signal. */
export function runAttempt(attempt: Attempt): Promise<Outcome> {
  const { controller, clock, limits } = attempt;
  return new Promise((resolve) => {
    const timers: { silence?: Cancel; total?: Cancel } = {};
    let isOver = false;
    const finish = (outcome: Outcome) => {
      isOver = true;
      timers.silence?.();
      timers.total?.();
      endAttempt(attempt.span, outcome);
      resolve(outcome);
    };
    const expire = (message: string) => {
      controller.abort();
      finish({ kind: "error", error: { name: "TimeoutError", message } });
    };
    const alive = () => {
      timers.silence?.();
      const { heartbeatMs } = limits;
      if (heartbeatMs === undefined || isOver) return;
      timers.silence = clock.after(heartbeatMs, () => expire(`no heartbeat for ${heartbeatMs} ms`));
    };
    const { startToCloseMs } = limits;
    timers.total = clock.after(startToCloseMs, () =>
      expire(`no result within ${startToCloseMs} ms`),
    );
    alive();
    void attempt.span.within(() => execute(attempt, alive)).then(finish);
  });
}

async function execute(attempt: Attempt, alive: () => void): Promise<Outcome> {
  const { run, task, controller } = attempt;
  try {
    const output = await run({
      input: task.input,
      get signal() {
        return controller.signal;
      },
      heartbeat: () => {
        alive();
        attempt.heartbeat?.();
      },
      idempotencyKey: `${task.key}/${task.activity}/${task.generation}`,
      attempt: task.attempt,
      instance: task.key,
    });
    return { kind: "done", output: throughJson(output) };
  } catch (error) {
    return { kind: "error", error: toErrorRecord(error) };
  }
}

/** What the record will hold after a restart: better seen at once than then. */
function throughJson(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}
