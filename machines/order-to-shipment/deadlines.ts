import { type Duration, toMs } from "../../src/index.ts";

/** How long an order waits, and for what. */
export interface Deadlines {
  /** For one answer of a service, before it is asked again. */
  readonly answerTimeout: Duration;
  /** Between a decline that may pass and the next attempt. */
  readonly paymentRetry: Duration;
  /** From the first attempt to the captured payment. */
  readonly paymentDeadline: Duration;
  /** From the carrier's booking to its report of delivery. */
  readonly carrierDeadline: Duration;
  /** Between attempts to undo something that nobody confirms. */
  readonly compensationPause: Duration;
}

/** What a shop would choose. */
export const businessDeadlines: Deadlines = {
  answerTimeout: "30s",
  paymentRetry: "1m",
  paymentDeadline: "15m",
  carrierDeadline: "14d",
  compensationPause: "1h",
};

/** Milliseconds for each name. */
export type DeadlinesMs = { readonly [Name in keyof Deadlines]: number };

/** The same in milliseconds. @throws WaybillError `invalid-duration`. */
export function deadlinesInMs(deadlines: Deadlines): DeadlinesMs {
  return mapDeadlines(deadlines, toMs);
}

/** Cuts every deadline to at most `longest`, so that a trial run does not take weeks. */
export function cutDeadlines(deadlines: Deadlines, longest: Duration): DeadlinesMs {
  const longestMs = toMs(longest);
  return mapDeadlines(deadlines, (deadline) => Math.min(toMs(deadline), longestMs));
}

/** Multiplies every deadline by `factor`, such as 0.001. */
export function scaleDeadlines(deadlines: Deadlines, factor: number): DeadlinesMs {
  return mapDeadlines(deadlines, (deadline) => Math.round(toMs(deadline) * factor));
}

function mapDeadlines(deadlines: Deadlines, change: (deadline: Duration) => number): DeadlinesMs {
  return {
    answerTimeout: change(deadlines.answerTimeout),
    paymentRetry: change(deadlines.paymentRetry),
    paymentDeadline: change(deadlines.paymentDeadline),
    carrierDeadline: change(deadlines.carrierDeadline),
    compensationPause: change(deadlines.compensationPause),
  };
}
