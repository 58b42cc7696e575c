import type { Headers } from "../message.ts";
import type { Names } from "../routing.ts";
import { attribute, spanName } from "../semantic-conventions.ts";
import { type OpenSpan, silentTracer, type Tracer } from "../tracer.ts";
import type { Arrival } from "./arrival.ts";
import type { Plan } from "./plan/plan.ts";
import { endSpans } from "./plan/trace-step.ts";

/** As many links as OpenTelemetry keeps of one span. */
const maxLinks = 128;

/**
 * The spans of one batch. A single arrival's commit belongs to its own trace; several share a trace of their own, in
 * which the commit lies, and their steps link to it.
 */
export class BatchTrace {
  readonly #tracer: Tracer;
  readonly #partition: number;
  readonly #arrivals: readonly Arrival[];
  readonly #batch: OpenSpan | undefined;
  #commit: OpenSpan | undefined;

  constructor(
    { tracer, names }: { readonly tracer: Tracer; readonly names: Names },
    partition: number,
    arrivals: readonly Arrival[],
  ) {
    this.#tracer = arrivals.length === 0 ? silentTracer : tracer;
    this.#partition = partition;
    this.#arrivals = arrivals;
    // Without any that may be looked at, there is nothing to link to it.
    if (arrivals.length < 2 || !arrivals.some(({ trace }) => tracer.mayRecord(trace))) return;
    this.#batch = tracer.begin({
      kind: "client",
      name: spanName.receive,
      parent: {},
      details: () => ({
        links: distinct(arrivals.map(({ trace }) => trace)),
        attributes: {
          [attribute.operationType]: "receive",
          [attribute.destination]: names.partition(partition),
          [attribute.batchSize]: arrivals.length,
          [attribute.partition]: partition,
        },
      }),
    });
  }

  /** What each step of the batch links to. */
  get link(): Headers | undefined {
    return this.#batch?.headers;
  }

  /** The plan goes to the store. One that is planned anew begins another commit. */
  committing(plan: Plan): void {
    if (!this.#tracer.isActive) return;
    this.#commit = this.#tracer.begin({
      kind: "client",
      name: spanName.commit,
      parent: (this.#batch ?? plan.spans.steps[0]?.span)?.headers ?? {},
      details: () => ({
        attributes: {
          [attribute.partition]: this.#partition,
          [attribute.batchSize]: this.#arrivals.length,
        },
      }),
    });
  }

  /** The plan was taken: only now anybody hears of it. */
  taken(plan: Plan): void {
    this.#commit?.end();
    endSpans(plan);
    this.#batch?.end();
  }
}

function distinct(traces: readonly Headers[]): readonly Headers[] {
  const byParent = new Map(traces.map((trace) => [trace["traceparent"], trace]));
  byParent.delete(undefined);
  return [...byParent.values()].slice(0, maxLinks);
}
