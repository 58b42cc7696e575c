import type { Observation } from "../../observer.ts";
import { attribute, spanName } from "../../semantic-conventions.ts";
import type { Attributes, OpenSpan, PreviousStep, SpanEnd } from "../../tracer.ts";
import type { Arrival } from "../arrival.ts";
import { instanceAttributes, messageAttributes } from "../trace-send.ts";
import type { Plan } from "./plan.ts";
import type { TracedStep } from "./plan-spans.ts";

/**
 * Works one arrival into the plan under a span of its own, which all its effects and replies carry on. The span
 * ends when the plan is committed; a plan that is thrown away is never heard of.
 */
export function traceStep<Any extends Arrival>(
  plan: Plan,
  arrival: Any,
  work: (plan: Plan, arrival: Any) => void,
): void {
  const span = begin(plan, arrival);
  const from = told(plan);
  const { headers } = span;
  work(plan, headers === arrival.trace ? arrival : { ...arrival, trace: headers });
  plan.spans.steps.push({ span, arrival, from, to: told(plan) });
}

function told({ observations, replies }: Plan): TracedStep["from"] {
  return { observations: observations.length, replies: replies.length };
}

/** Ends the spans of a plan that has been committed. */
export function endSpans(plan: Plan): void {
  if (!plan.context.tracer.isActive) return;
  for (const span of plan.spans.sends) span.end();
  for (const step of plan.spans.steps) step.span.end(() => endOf(plan, step));
}

/** All that a tracer which nobody looks at wants to know. */
const untold = { kind: "consumer", name: "", details: () => ({ attributes: {} }) } as const;

function begin(plan: Plan, arrival: Arrival): OpenSpan {
  const { tracer, batch } = plan.context;
  const { trace: parent } = arrival;
  if (!tracer.isActive) return tracer.begin({ ...untold, parent });
  const previous = previousOf(plan, arrival);
  return tracer.begin({
    kind: isMessage(arrival) ? "consumer" : "internal",
    name: arrival.kind === "timer" ? spanName.timer : spanName.process(typeOf(arrival)),
    parent,
    ...(previous !== undefined && { previous }),
    details: () => ({
      attributes: attributesOf(plan, arrival),
      ...(batch !== undefined && { links: [batch] }),
    }),
  });
}

function previousOf(plan: Plan, { kind, key }: Arrival): PreviousStep | undefined {
  if (kind === "unfit") return undefined;
  const traced = plan.draft(key).current?.traced;
  if (traced === undefined) return undefined;
  return { headers: traced.headers, agoMs: plan.context.now - traced.at };
}

/** A timer and the result of a local activity come from this process itself. */
function isMessage({ kind, receipt }: Arrival): boolean {
  return receipt.delivery !== undefined || (receipt.seq !== undefined && kind !== "result");
}

function typeOf(arrival: Arrival): string {
  if ("type" in arrival && arrival.type !== undefined) return arrival.type;
  return arrival.kind;
}

function attributesOf({ context }: Plan, arrival: Arrival): Attributes {
  const { receipt, messageId: id, key } = arrival;
  const message = receipt.delivery?.message;
  return {
    ...(isMessage(arrival) && {
      [attribute.operationType]: "process",
      [attribute.destination]: context.names.partition(context.partition),
      ...messageAttributes({ ...message, ...(id !== undefined && { id }) }),
    }),
    ...(arrival.kind === "timer"
      ? { [attribute.timer]: arrival.name }
      : { [attribute.event]: typeOf(arrival) }),
    ...instanceAttributes(key),
    [attribute.partition]: context.partition,
  };
}

/** What became of an arrival, from what was observed and answered while it was worked in. */
function endOf(plan: Plan, step: TracedStep): SpanEnd {
  const observations = plan.observations.slice(step.from.observations, step.to.observations);
  const attributes: Record<string, string | number | boolean> = {};
  let error: string | undefined;
  for (const observation of observations) {
    Object.assign(attributes, tell(observation));
    error ??= errorOf(observation);
  }
  for (const { body } of plan.replies.slice(step.from.replies, step.to.replies)) {
    if (!("problem" in body)) continue;
    attributes[attribute.outcome] = "refused";
    attributes[attribute.errorType] = body.problem.code;
  }
  const machineVersion = plan.drafts.get(step.arrival.key)?.current?.definition;
  if (machineVersion !== undefined) attributes[attribute.machineVersion] = machineVersion;
  return { attributes, ...(error !== undefined && { error }) };
}

function tell(observation: Observation): Attributes {
  const { kind } = observation;
  if (kind === "started") {
    return { [attribute.outcome]: kind, [attribute.stateTo]: observation.state };
  }
  if (kind === "applied") {
    const { from, to, version } = observation;
    return {
      [attribute.outcome]: kind,
      [attribute.stateFrom]: from,
      [attribute.stateTo]: to,
      [attribute.instanceVersion]: version,
    };
  }
  if (kind === "set-aside") {
    const { outcome } = observation;
    const isDuplicate = outcome === "duplicate";
    return { [attribute.outcome]: outcome, ...(isDuplicate && { [attribute.duplicate]: true }) };
  }
  if (kind === "failed") return { [attribute.outcome]: kind, [attribute.errorType]: kind };
  if (kind !== "dead-letter") return {};
  return { [attribute.outcome]: kind, [attribute.errorType]: observation.reason };
}

function errorOf(observation: Observation): string | undefined {
  if (observation.kind === "failed") return observation.error;
  return observation.kind === "dead-letter" ? observation.detail : undefined;
}
