import type { Names } from "../../routing.ts";
import type { OpenSpan, Tracer } from "../../tracer.ts";
import type { Arrival } from "../arrival.ts";
import { traceSend } from "../trace-send.ts";
import type { OutboxContent } from "../wire.ts";

/** What one arrival has led to, as ranges of what the plan observes and replies. */
export interface TracedStep {
  readonly span: OpenSpan;
  readonly arrival: Arrival;
  readonly from: { readonly observations: number; readonly replies: number };
  readonly to: { readonly observations: number; readonly replies: number };
}

/** The spans of a plan, begun and not ended: its arrivals, and what it sends. */
export class PlanSpans {
  readonly steps: TracedStep[] = [];
  readonly sends: OpenSpan[] = [];
  readonly #context: { readonly tracer: Tracer; readonly names: Names };

  constructor(context: { readonly tracer: Tracer; readonly names: Names }) {
    this.#context = context;
  }

  /** The promise as it goes out: a message carries the span of its sending. */
  promised(content: OutboxContent): OutboxContent {
    if (content.kind !== "publish" || !this.#context.tracer.isActive) return content;
    const { span, outgoing } = traceSend(this.#context, content.outgoing);
    this.sends.push(span);
    return { ...content, outgoing };
  }
}
