import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { AnyStateMachine, ContextFrom } from "xstate";
import type { ActivityOptions, ActivityRun } from "./activity.ts";
import type { Duration } from "./duration.ts";
import type { Schema } from "./schema.ts";

/** What becomes of an event whose instance does not exist (yet). */
export type MissingPolicy = "create" | "park" | "reject";
/** What becomes of an event that the present state does not accept and that nobody waits for. */
export type UnacceptedPolicy = "defer" | "ignore" | "dead-letter";

/** An event that others may send to instances. */
export interface EventDefinition<S extends Schema = Schema> {
  readonly schema: S;
  /** Finds the id of the instance that an event without an address is for. */
  readonly correlate?: (payload: StandardSchemaV1.InferOutput<S>) => string | undefined;
  /** `park` when not given. */
  readonly missing?: MissingPolicy;
  /** `dead-letter` when not given. */
  readonly unaccepted?: UnacceptedPolicy;
}

/** An event definition whatever its schema. */
export type AnyEventDefinition = Omit<EventDefinition, "correlate"> & {
  readonly correlate?: (payload: never) => string | undefined;
};

/** An event that the machine emits, and the event type of the answer, if it is a request. */
export interface EmitDefinition<S extends Schema = Schema> {
  readonly schema: S;
  readonly reply?: string;
}

/** Event types with their schemas, or with their schemas and rules. */
export type EventSchemas = Readonly<Record<string, Schema>>;
export type EventDefinitions<Schemas extends EventSchemas> = {
  readonly [Type in keyof Schemas]: Schemas[Type] | EventDefinition<Schemas[Type]>;
};
export type EmitDefinitions<Schemas extends EventSchemas> = {
  readonly [Type in keyof Schemas]: Schemas[Type] | EmitDefinition<Schemas[Type]>;
};

/** An event definition with its defaults filled in. */
export interface EventRule {
  readonly schema: Schema;
  readonly correlate: ((payload: unknown) => string | undefined) | undefined;
  readonly missing: MissingPolicy;
  readonly unaccepted: UnacceptedPolicy;
}

export interface EmitRule {
  readonly schema: Schema;
  readonly reply: string | undefined;
}

/** A promise actor of the machine as an activity. */
export interface ActivityRule {
  readonly options: ActivityOptions;
  readonly run: ActivityRun | undefined;
}

type SchemaOf<Entry> = Entry extends Schema
  ? Entry
  : Entry extends { readonly schema: infer S extends Schema }
    ? S
    : never;

/** The union `{ type } & payload` of a map of events, for `setup({ types: { events } })`. */
export type EventsOf<Entries extends object> = {
  [Type in keyof Entries & string]: { type: Type } & StandardSchemaV1.InferOutput<
    SchemaOf<Entries[Type]>
  >;
}[keyof Entries & string];

/** The union `{ type } & payload` of a map of emitted events, for `setup({ types: { emitted } })`. */
export type EmitsOf<Entries extends object> = EventsOf<Entries>;

export interface WorkflowDefinition<
  Machine extends AnyStateMachine = AnyStateMachine,
  Input extends Schema = Schema,
> {
  /** 1 to 64 of `A-Z a-z 0-9 . _ -`. */
  readonly name: string;
  /** Names this definition; instances stay on the one they were started with. */
  readonly version: string;
  readonly machine: Machine;
  readonly input?: Input;
  /** Event types that start an instance, their payload being its input. */
  readonly startedBy?: readonly string[];
  readonly instanceId?: (input: StandardSchemaV1.InferOutput<Input>) => string;
  readonly events: Readonly<Record<string, Schema | AnyEventDefinition>>;
  readonly emits?: Readonly<Record<string, Schema | EmitDefinition>>;
  /** Event types that only the machine itself raises or its children send; nobody else may. */
  readonly internal?: readonly string[];
  /** What lists can be filtered by. */
  readonly attributes?: (
    context: ContextFrom<Machine>,
  ) => Readonly<Record<string, string | number | boolean>>;
  /**
   * How long an instance is kept after its end, `"7d"` when not given; then it is removed with its history.
   * It is never less than twice the time for which handled messages are recognised, so that no late copy begins it anew.
   */
  readonly retention?: Duration;
  /** Whether the steps of its instances and of their children are kept, true when not given; else their history is empty. */
  readonly history?: boolean;
  /**
   * Whether its instances and their children are in the index of status, states, tags and attributes, true when not given.
   * Else they are found by id and in the list of all; no filter finds them and no gauge counts them.
   */
  readonly indexed?: boolean;
}

/** A definition that was found to be durable, with every default filled in. */
export interface Workflow<Machine extends AnyStateMachine = AnyStateMachine> {
  readonly name: string;
  readonly version: string;
  readonly machine: Machine;
  readonly input: Schema | undefined;
  readonly startedBy: readonly string[];
  readonly instanceId: ((input: unknown) => string) | undefined;
  readonly events: ReadonlyMap<string, EventRule>;
  readonly emits: ReadonlyMap<string, EmitRule>;
  readonly internal: readonly string[];
  /** Machine actors by their name in the machine: child workflows named `<name>.<source>`. */
  readonly children: ReadonlyMap<string, Workflow>;
  /** Promise actors by their name in the machine. */
  readonly activities: ReadonlyMap<string, ActivityRule>;
  readonly attributes:
    | ((context: unknown) => Readonly<Record<string, string | number | boolean>>)
    | undefined;
  readonly retentionMs: number;
  readonly history: boolean;
  readonly indexed: boolean;
}
