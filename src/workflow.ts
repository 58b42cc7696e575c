import type { AnyStateMachine } from "xstate";
import { activityOptions, runOf } from "./activity.ts";
import { toMs } from "./duration.ts";
import { WaybillError } from "./errors.ts";
import { isSchema, type Schema } from "./schema.ts";
import type {
  ActivityRule,
  AnyEventDefinition,
  EmitDefinition,
  EmitDefinitions,
  EmitRule,
  EventDefinitions,
  EventRule,
  EventSchemas,
  Workflow,
  WorkflowDefinition,
} from "./workflow-definition.ts";
import { workflowProblems } from "./workflow-problems.ts";
import { isMachine } from "./workflow-states.ts";

export type {
  EmitsOf,
  EventsOf,
  Workflow,
  WorkflowDefinition,
} from "./workflow-definition.ts";

const defaultRetention = "7d";

/**
 * Gives a map of messages its types, `correlate`'s payload included, before the machine is written.
 * @example
 * const order = messages({
 *   events: { "payment.authorized": { schema: Payment, correlate: (payment) => payment.orderId } },
 *   emits: { "order.paid": Paid },
 * });
 * setup({ types: { events: {} as EventsOf<typeof order.events> } })
 */
export function messages<Events extends EventSchemas, Emits extends EventSchemas>(maps: {
  readonly events: EventDefinitions<Events>;
  readonly emits?: EmitDefinitions<Emits>;
}): { readonly events: EventDefinitions<Events>; readonly emits: EmitDefinitions<Emits> } {
  return { events: maps.events, emits: maps.emits ?? ({} as EmitDefinitions<Emits>) };
}

/**
 * Turns a plain XState machine into a durable workflow.
 * @throws WaybillError `invalid-workflow` whose `problems` name, all at once, everything in the machine
 * that could not be durable or would go wrong in silence, each with its state.
 */
export function defineWorkflow<Machine extends AnyStateMachine, Input extends Schema = Schema>(
  definition: WorkflowDefinition<Machine, Input>,
): Workflow<Machine> {
  const loose = definition as unknown as WorkflowDefinition;
  const problems = workflowProblems(loose);
  if (problems.length > 0) throw invalid(loose.name, problems);
  return build(loose, new Map()) as Workflow<Machine>;
}

function invalid(name: string, problems: readonly string[]): WaybillError {
  return new WaybillError({
    code: "invalid-workflow",
    message: `Workflow "${name}" cannot be run durably:\n- ${problems.join("\n- ")}`,
    action: "Correct every problem listed; each names its state.",
    problems,
  });
}

/** `known` ends the recursion of a machine that has itself among its actors. */
function build(definition: WorkflowDefinition, known: Map<AnyStateMachine, Workflow>): Workflow {
  const children = new Map<string, Workflow>();
  const activities = new Map<string, ActivityRule>();
  const { startedBy = [], internal = [], emits = {}, retention = defaultRetention } = definition;
  const { history = true, indexed = true } = definition;
  const workflow: Workflow = Object.freeze({
    name: definition.name,
    version: definition.version,
    machine: definition.machine,
    input: definition.input,
    startedBy: Object.freeze([...startedBy]),
    instanceId: definition.instanceId,
    events: mapEntries(definition.events, toEventRule),
    emits: mapEntries(emits, toEmitRule),
    internal: Object.freeze([...internal]),
    children,
    activities,
    attributes: definition.attributes as Workflow["attributes"],
    retentionMs: toMs(retention),
    history,
    indexed,
  });
  known.set(definition.machine, workflow);
  for (const [source, logic] of Object.entries(definition.machine.implementations.actors)) {
    if (isMachine(logic)) {
      children.set(source, known.get(logic) ?? build(childOf(definition, source, logic), known));
    } else {
      activities.set(source, { options: activityOptions(logic), run: runOf(logic) });
    }
  }
  return workflow;
}

function childOf(
  parent: WorkflowDefinition,
  source: string,
  machine: AnyStateMachine,
): WorkflowDefinition {
  const { version, retention, history, indexed } = parent;
  const kept = {
    ...(retention !== undefined && { retention }),
    ...(history !== undefined && { history }),
    ...(indexed !== undefined && { indexed }),
  };
  return { name: `${parent.name}.${source}`, version, machine, events: {}, ...kept };
}

function mapEntries<Entry, Rule>(
  entries: Readonly<Record<string, Entry>>,
  toRule: (entry: Entry) => Rule,
): ReadonlyMap<string, Rule> {
  return new Map(Object.entries(entries).map(([type, entry]) => [type, toRule(entry)]));
}

function toEventRule(entry: Schema | AnyEventDefinition): EventRule {
  const definition: AnyEventDefinition = isSchema(entry) ? { schema: entry } : entry;
  const { schema, correlate, missing, unaccepted } = definition;
  return Object.freeze({
    schema,
    correlate: correlate as EventRule["correlate"],
    missing: missing ?? "park",
    unaccepted: unaccepted ?? "dead-letter",
  });
}

function toEmitRule(entry: Schema | EmitDefinition): EmitRule {
  const definition: EmitDefinition = isSchema(entry) ? { schema: entry } : entry;
  return Object.freeze({ schema: definition.schema, reply: definition.reply });
}
