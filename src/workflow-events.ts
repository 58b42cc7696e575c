import type { AnyStateMachine, AnyStateNode } from "xstate";
import { isReservedType } from "./message.ts";
import { isSchema } from "./schema.ts";
import { actionsOf, builtInOf, staticType } from "./workflow-actions.ts";
import type { AnyEventDefinition, WorkflowDefinition } from "./workflow-definition.ts";
import { allStates, isMachine } from "./workflow-states.ts";

/** Where the declared messages and the machine do not fit together. */
export function messageProblems(definition: WorkflowDefinition): readonly string[] {
  return [
    ...eventProblems(definition),
    ...emitProblems(definition),
    ...startProblems(definition),
    ...handlerProblems(definition),
  ];
}

/** True when a handler's key (a type, `*`, or a prefix that ends in `.*`) stands for an event type. */
export function descriptorMatches(descriptor: string, type: string): boolean {
  if (descriptor === type || descriptor === "*") return true;
  if (!descriptor.endsWith(".*")) return false;
  const prefix = descriptor.slice(0, -2);
  return type === prefix || type.startsWith(`${prefix}.`);
}

function eventProblems({ events, internal = [] }: WorkflowDefinition): readonly string[] {
  const types = [...Object.keys(events), ...internal];
  return [
    ...reserved("Event", types),
    ...Object.entries(events).flatMap(([type, entry]) => [
      ...schemaProblems(`Event "${type}"`, entry),
      ...policyProblems(type, entry as Partial<AnyEventDefinition>),
    ]),
    ...internal
      .filter((type) => Object.hasOwn(events, type))
      .map((type) => `Event "${type}" is both internal and among the events.`),
  ];
}

function policyProblems(type: string, entry: Partial<AnyEventDefinition>): readonly string[] {
  const { missing, unaccepted } = entry;
  const problems: string[] = [];
  if (missing !== undefined && !["create", "park", "reject"].includes(missing)) {
    problems.push(`Event "${type}": missing is one of create, park, reject.`);
  }
  if (unaccepted !== undefined && !["defer", "ignore", "dead-letter"].includes(unaccepted)) {
    problems.push(`Event "${type}": unaccepted is one of defer, ignore, dead-letter.`);
  }
  return problems;
}

function emitProblems({ machine, events, emits }: WorkflowDefinition): readonly string[] {
  if (emits === undefined) return [];
  const declared = Object.entries(emits).flatMap(([type, entry]) => {
    const reply = isSchema(entry) ? undefined : entry.reply;
    const isKnown = reply === undefined || Object.hasOwn(events, reply);
    const unknown = `Emitted "${type}": the reply "${String(reply)}" is not among the events.`;
    return [...schemaProblems(`Emitted "${type}"`, entry), ...(isKnown ? [] : [unknown])];
  });
  const undeclared = staticEvents(machine, "xstate.emit")
    .filter(({ type }) => !Object.hasOwn(emits, type))
    .map(
      ({ state, type }) => `State "${state.id}": "${type}" is emitted, but not among the emits.`,
    );
  return [...reserved("Emitted", Object.keys(emits)), ...declared, ...undeclared];
}

/** A start type may be declared for its schema, but a state that also handles it would never see it. */
function startProblems({ machine, startedBy = [] }: WorkflowDefinition): readonly string[] {
  const handled = new Set(allStates(machine).flatMap((state) => [...state.transitions.keys()]));
  const twice = startedBy.filter((type, index) => startedBy.indexOf(type) !== index);
  return [
    ...reserved("startedBy", startedBy),
    ...twice.map((type) => `startedBy "${type}" stands there twice.`),
    ...startedBy
      .filter((type) => handled.has(type))
      .map(
        (type) => `startedBy "${type}" is also handled by a state: it can only do one of the two.`,
      ),
  ];
}

function handlerProblems(definition: WorkflowDefinition): readonly string[] {
  const { machine, events, internal = [], startedBy = [] } = definition;
  const states = allStates(machine);
  const handlers = states.flatMap((state) =>
    [...state.transitions.keys()]
      .filter((descriptor) => !descriptor.startsWith("xstate."))
      .map((descriptor) => ({ state, descriptor })),
  );
  const declared = [...Object.keys(events), ...internal];
  const known = [...declared, ...ownTypes(machine)];
  const unknown = handlers
    .filter(({ descriptor }) => descriptor !== "*")
    .filter(({ descriptor }) => !known.some((type) => descriptorMatches(descriptor, type)))
    .map(
      ({ state, descriptor }) =>
        `State "${state.id}": "${descriptor}" is handled, but not among the events (or internal).`,
    );
  const unheard = declared
    .filter((type) => !startedBy.includes(type))
    .filter((type) => !handlers.some(({ descriptor }) => descriptorMatches(descriptor, type)))
    .map((type) => `Event "${type}" is declared, but no state handles it.`);
  return [...unknown, ...unheard];
}

/** Types that the machine raises or sends itself, or that its children send to it. */
function ownTypes(machine: AnyStateMachine): readonly string[] {
  const children = Object.values(machine.implementations.actors).filter(isMachine);
  return [
    ...staticEvents(machine, "xstate.raise"),
    ...staticEvents(machine, "xstate.sendTo"),
    ...children.flatMap((child) => staticEvents(child, "xstate.sendTo")),
  ].map(({ type }) => type);
}

function staticEvents(
  machine: AnyStateMachine,
  action: string,
): readonly { readonly state: AnyStateNode; readonly type: string }[] {
  return allStates(machine).flatMap((state) =>
    actionsOf(state).flatMap((used) => {
      const builtIn = builtInOf(machine, used);
      const type = builtIn?.type === action ? staticType(builtIn.event) : undefined;
      return type === undefined ? [] : [{ state, type }];
    }),
  );
}

function schemaProblems(what: string, entry: unknown): readonly string[] {
  const schema: unknown = isSchema(entry) ? entry : (entry as { readonly schema?: unknown }).schema;
  return isSchema(schema) ? [] : [`${what}: the schema does not follow Standard Schema.`];
}

function reserved(what: string, types: readonly string[]): readonly string[] {
  return types
    .filter(isReservedType)
    .map((type) => `${what} "${type}": types that start with xstate. or waybill. are reserved.`);
}
