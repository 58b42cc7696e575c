import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from "xstate";
import { WaybillError } from "../../errors.ts";
import type { StateValue } from "../client.ts";
import type { Actor, ActorRecord } from "./actor.ts";
import { type Configuration, type Configurations, canonicalValue } from "./configuration.ts";
import { ChildReference } from "./inert.ts";
import { freezeParsed } from "./plain.ts";

/** What a record is read with. */
interface Reader {
  readonly machine: AnyStateMachine;
  readonly configurations: Configurations;
  readonly fingerprint: string;
}

type Draft = { -readonly [Key in keyof ActorRecord]: ActorRecord[Key] };
type History = Readonly<Record<string, readonly AnyStateNode[]>>;

/** The actor as data that survives JSON, without anything that is empty. */
export function packActor(actor: Actor, fingerprint: string): ActorRecord {
  const { key, version, snapshot, timers, children, generations, parent } = actor;
  const { status, context, output } = snapshot;
  const value = snapshot.value as StateValue;
  const error = snapshot.error as ActorRecord["error"] | undefined;
  const history = packHistory(snapshot.historyValue as History);
  // Filled step by step: records are made for every event, and spreading costs more.
  const record: Draft = { key, version, fingerprint, status, value, context, generations };
  if (history !== undefined) record.history = history;
  if (output !== undefined) record.output = output;
  if (error !== undefined) record.error = error;
  if (timers.length > 0) record.timers = timers;
  if (children.length > 0) record.children = children;
  if (parent !== undefined) record.parent = parent;
  return record;
}

function packHistory(history: History): Record<string, readonly string[]> | undefined {
  const entries = Object.entries(history);
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries.map(([id, nodes]) => [id, nodes.map((node) => node.id)]));
}

/** The actor of a record, for the machine of today. */
export function unpackActor(record: ActorRecord, reader: Reader): Actor {
  const configuration = configurationOf(record, reader);
  const { key, version, timers = [], children = [], generations, parent } = record;
  const references: Record<string, ChildReference> = {};
  for (const child of children) references[child.id] = new ChildReference(child);
  const snapshot = {
    ...configuration.template,
    status: record.status,
    context: freezeParsed(record.context),
    historyValue: unpackHistory(record.history, reader.machine),
    output: freezeParsed(record.output),
    error: record.error,
    children: references,
  } as unknown as AnyMachineSnapshot;
  const actor: Actor = { key, version, snapshot, timers, children, generations };
  return parent === undefined ? actor : { ...actor, parent };
}

/** States that are no longer there are left out; where none is left, the history starts anew. */
function unpackHistory(history: ActorRecord["history"], machine: AnyStateMachine): History {
  const restored: Record<string, readonly AnyStateNode[]> = {};
  for (const [id, names] of Object.entries(history ?? {})) {
    const nodes = names
      .map((name) => stateById(machine, name))
      .filter((node) => node !== undefined);
    // One that was empty stays so: XState tells that from none.
    if (nodes.length > 0 || names.length === 0) restored[id] = nodes;
  }
  return restored;
}

function stateById(machine: AnyStateMachine, id: string): AnyStateNode | undefined {
  try {
    return machine.getStateNodeById(id);
  } catch {
    return undefined;
  }
}

function configurationOf(record: ActorRecord, reader: Reader): Configuration {
  let configuration: Configuration;
  try {
    configuration = reader.configurations.ofValue(record.value);
  } catch (error) {
    throw migrationNeeded(record, [error instanceof Error ? error.message : String(error)]);
  }
  if (record.fingerprint !== reader.fingerprint && record.status === "active") {
    const problems = misfits(record, configuration, reader.machine);
    if (problems.length > 0) throw migrationNeeded(record, problems);
  }
  return configuration;
}

/** What would silently be missing if a record of another structure were carried on. */
function misfits(
  record: ActorRecord,
  { nodes, value }: Configuration,
  machine: AnyStateMachine,
): readonly string[] {
  if (canonicalValue(value) !== canonicalValue(record.value)) {
    const from = JSON.stringify(record.value);
    return [`State ${from} would become ${JSON.stringify(value)} without entering it.`];
  }
  const timers = new Set(record.timers?.map(({ name }) => name));
  const children = new Set(record.children?.map(({ id }) => id));
  const wantedTimers = nodes.flatMap(({ after }) => after.map(({ eventType }) => eventType));
  const wantedChildren = nodes.flatMap(({ invoke }) => invoke.map(({ id }) => id));
  return [
    ...[...new Set(wantedTimers)]
      .filter((name) => !timers.has(name))
      .map((name) => `Timer "${name}" was never armed.`),
    ...wantedChildren.filter((id) => !children.has(id)).map((id) => `"${id}" was never started.`),
    ...(record.children ?? [])
      .filter(({ source }) => !(source in machine.implementations.actors))
      .map(({ id, source }) => `The actor "${source}" of "${id}" is gone.`),
  ];
}

function migrationNeeded(record: ActorRecord, problems: readonly string[]): WaybillError {
  return new WaybillError({
    code: "migration-needed",
    message: `${record.key} does not fit the changed machine: ${problems.join(" ")}`,
    action:
      "Give the changed machine a new version, and keep the old one until its instances ended.",
    problems,
    details: { state: record.value, fingerprint: record.fingerprint },
  });
}
