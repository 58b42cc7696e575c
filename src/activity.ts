import { fromPromise, type PromiseActorLogic } from "xstate";
import { type Duration, toMs } from "./duration.ts";
import { WaybillError } from "./errors.ts";

/** What the code of an activity gets to work with. */
export interface ActivityArguments<Input = unknown> {
  readonly input: Input;
  /** Aborted when the state that wants the result is left, or a time limit has passed. */
  readonly signal: AbortSignal;
  /** Says "still alive", and keeps `details` for the next attempt. */
  readonly heartbeat: (details?: unknown) => void;
  /** The same on every attempt: `<workflow>/<instance>/<activity id>/<generation>`. */
  readonly idempotencyKey: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** The full name of the instance: `workflow/id`. */
  readonly instance: string;
}

/** The code of an activity. What it resolves with must survive JSON. */
export type ActivityRun<Output = unknown, Input = unknown> = (
  args: ActivityArguments<Input>,
) => PromiseLike<Output> | Output;

/** How often and how patiently a failed attempt is repeated. */
export interface RetryDefinition {
  /** Attempts in all, the first included. 10 when not given: about four minutes of trying. */
  readonly maxAttempts?: number;
  /** Wait after the first failure. 1 s when not given. */
  readonly initial?: Duration;
  /** What each further wait is multiplied by. 2 when not given. */
  readonly factor?: number;
  /** Longest wait. 60 s when not given. */
  readonly max?: Duration;
  /** Share of a wait, 0 to 1, that is left to chance. 0.2 when not given. */
  readonly jitter?: number;
  /** Names of errors that are not worth another attempt. */
  readonly nonRetryable?: readonly string[];
}

export interface ActivityDefinition<Output = unknown, Input = unknown> {
  /** May be left out when `local` is false: a worker elsewhere has it. */
  readonly run?: ActivityRun<Output, Input>;
  /** True (the default): run by the owner of the instance. False: handed to workers through a queue. */
  readonly local?: boolean;
  readonly retry?: RetryDefinition;
  /** Longest time of one attempt. 60 s when not given. */
  readonly startToClose?: Duration;
  /** Longest time of all attempts and waits together. No limit when not given. */
  readonly scheduleToClose?: Duration;
  /** Longest silence between two heartbeats. Not watched when not given. */
  readonly heartbeat?: Duration;
}

/** The policy of an activity with every default filled in. */
export interface ActivityOptions {
  readonly local: boolean;
  readonly retry: {
    readonly maxAttempts: number;
    readonly initialMs: number;
    readonly factor: number;
    readonly maxMs: number;
    readonly jitter: number;
    readonly nonRetryable: readonly string[];
  };
  readonly startToCloseMs: number;
  readonly scheduleToCloseMs: number | undefined;
  readonly heartbeatMs: number | undefined;
}

// Registered, so that two copies of this package understand each other's activities.
const optionsKey = Symbol.for("waybill.activity.options");
const runKey = Symbol.for("waybill.activity.run");

const defaults = resolveOptions({});

/**
 * Makes actor logic whose work survives crashes: it is tried again until it succeeds, its policy gives up,
 * or the state that invoked it is left. Use it under `actors` in XState's `setup`.
 * @throws WaybillError `invalid-activity` for a policy that makes no sense, `invalid-duration`.
 * @example
 * activity({
 *   run: async ({ input, idempotencyKey }: ActivityArguments<{ cents: number }>) => ({ ref: idempotencyKey }),
 *   retry: { maxAttempts: 3 },
 * })
 */
export function activity<Output = unknown, Input = unknown>(
  definition: ActivityDefinition<Output, Input>,
): PromiseActorLogic<Output, Input> {
  const options = resolveOptions(definition);
  const problems = optionProblems(options, definition.run !== undefined);
  if (problems.length > 0) {
    throw new WaybillError({
      code: "invalid-activity",
      message: `This activity cannot be: ${problems.join(" ")}`,
      action: "Correct what is listed in `problems`.",
      problems,
    });
  }
  const logic = fromPromise<Output, Input>(({ input, signal, self }) =>
    runLive(definition.run, { input, signal, id: self.id }),
  );
  return Object.assign(logic, { [optionsKey]: options, [runKey]: definition.run });
}

/** The policy of some actor logic; plain `fromPromise` logic is a local activity with every default. */
export function activityOptions(logic: object): ActivityOptions {
  return (Reflect.get(logic, optionsKey) as ActivityOptions | undefined) ?? defaults;
}

/** The code of some actor logic, or undefined when only workers elsewhere have it. */
export function runOf(logic: object): ActivityRun | undefined {
  if (optionsKey in logic) return Reflect.get(logic, runKey) as ActivityRun | undefined;
  // XState keeps the function given to `fromPromise` under this name; types do not show it.
  const creator: unknown = Reflect.get(logic, "config");
  if (typeof creator !== "function") return undefined;
  return ({ input, signal }) => Reflect.apply(creator, undefined, [{ input, signal, emit() {} }]);
}

/** True for logic made by `activity` or `fromPromise`, whichever copy of XState it came from. */
export function isPromiseLogic(logic: unknown): logic is object {
  if (typeof logic !== "object" || logic === null) return false;
  if (optionsKey in logic) return true;
  const transition: unknown = Reflect.get(logic, "transition");
  if (typeof transition !== "function" || "__xstatenode" in logic) return false;
  return settles(transition);
}

/** Only promise logic answers this event by being done: the kinds look alike but for what they do. */
function settles(transition: Function): boolean {
  const answer = {};
  const event = { type: "xstate.promise.resolve", data: answer };
  try {
    const next: unknown = Reflect.apply(transition, undefined, [
      { status: "active" },
      event,
      { self: {} },
    ]);
    return typeof next === "object" && next !== null && Reflect.get(next, "output") === answer;
  } catch {
    return false;
  }
}

/** Lets a machine with activities also run under XState itself, as in its inspector or in a test. */
async function runLive<Output, Input>(
  run: ActivityRun<Output, Input> | undefined,
  given: { input: Input; signal: AbortSignal; id: string },
): Promise<Output> {
  if (run === undefined) {
    throw new WaybillError({
      code: "no-run",
      message: `Activity "${given.id}" has no code in this process.`,
      action: "Give it a `run`, or start the workflow with an engine and a worker.",
    });
  }
  const { input, signal, id } = given;
  return run({
    input,
    signal,
    heartbeat() {},
    idempotencyKey: `live/${id}`,
    attempt: 1,
    instance: "live",
  });
}

function resolveOptions(definition: Omit<ActivityDefinition, "run">): ActivityOptions {
  const { retry = {}, startToClose = "60s", scheduleToClose, heartbeat } = definition;
  return Object.freeze({
    local: definition.local ?? true,
    retry: Object.freeze({
      maxAttempts: retry.maxAttempts ?? 10,
      initialMs: toMs(retry.initial ?? "1s"),
      factor: retry.factor ?? 2,
      maxMs: toMs(retry.max ?? "60s"),
      jitter: retry.jitter ?? 0.2,
      nonRetryable: Object.freeze([...(retry.nonRetryable ?? [])]),
    }),
    startToCloseMs: toMs(startToClose),
    scheduleToCloseMs: scheduleToClose === undefined ? undefined : toMs(scheduleToClose),
    heartbeatMs: heartbeat === undefined ? undefined : toMs(heartbeat),
  });
}

function optionProblems(options: ActivityOptions, hasRun: boolean): readonly string[] {
  const { retry, local, startToCloseMs, scheduleToCloseMs, heartbeatMs } = options;
  const checks: readonly (readonly [boolean, string])[] = [
    [!hasRun && local, "A local activity needs a `run`."],
    [
      !Number.isInteger(retry.maxAttempts) || retry.maxAttempts < 1,
      "`retry.maxAttempts` is 1 or more.",
    ],
    [!Number.isFinite(retry.factor) || retry.factor < 1, "`retry.factor` is 1 or more."],
    [!(retry.jitter >= 0 && retry.jitter <= 1), "`retry.jitter` lies between 0 and 1."],
    [startToCloseMs === 0, "`startToClose` is more than 0."],
    [scheduleToCloseMs === 0, "`scheduleToClose` is more than 0."],
    [heartbeatMs === 0, "`heartbeat` is more than 0."],
  ];
  return checks.filter(([wrong]) => wrong).map(([, problem]) => problem);
}
