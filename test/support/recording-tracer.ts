import type { Headers } from "../../src/message.ts";
import type { SpanDetails, SpanEnd, SpanStart, Tracer } from "../../src/tracer.ts";

/** A span that a tracer was asked for; `ended` is undefined while it is open. */
export interface RecordedSpan extends Omit<SpanStart, "details">, SpanDetails {
  readonly headers: Headers;
  readonly ended: SpanEnd | undefined;
}

/** Remembers every span; their ids count up, and a span without a parent begins a trace. */
export class RecordingTracer implements Tracer {
  readonly isActive = true;
  readonly spans: RecordedSpan[] = [];

  get ended(): readonly RecordedSpan[] {
    return this.spans.filter(({ ended }) => ended !== undefined);
  }

  mayRecord(): boolean {
    return true;
  }

  begin({ details, ...start }: SpanStart) {
    const number = this.spans.length + 1;
    const traceId = start.parent["traceparent"]?.split("-")[1] ?? hex(number, 32);
    const headers = { ...start.parent, traceparent: `00-${traceId}-${hex(number, 16)}-01` };
    const span = { ...start, ...details(), headers, ended: undefined as SpanEnd | undefined };
    this.spans.push(span);
    return {
      headers,
      end(how: () => SpanEnd = () => ({})) {
        span.ended = how();
      },
      within: <Result>(task: () => Result) => task(),
    };
  }
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, "0");
}
