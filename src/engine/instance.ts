import { hash } from "node:crypto";
import type { StoredInstance } from "../commit.ts";
import { type ErrorRecord, WaybillError } from "../errors.ts";
import { type Headers, parseInstanceKey } from "../message.ts";
import { traceIdOf } from "../tracer.ts";
import type { Definition, Registry } from "./registry.ts";
import type { Actor, ActorRecord } from "./statechart/actor.ts";
import type { Origin } from "./step.ts";
import { stuckTerm, whyStuck } from "./stuck.ts";
import { waitingTerms } from "./waiting-since.ts";

/** An event that could not be applied yet and is kept with its instance. */
export interface WaitingEvent {
  readonly messageId?: string;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly origin?: Origin;
  readonly trace?: Headers;
  /** It came while the code of its instance was not here, so that no schema has seen it yet. */
  readonly isUnchecked?: true;
}

/** Why an instance stands still: the event that threw. */
export interface Failure {
  readonly type: string;
  readonly error: ErrorRecord;
  readonly at: number;
  /** The dead letter that tells the operator of the event, which stays first in line. */
  readonly letter?: string;
}

/** A run of an activity: the outbox entry that stands for it while local, and when it was first asked for. */
export interface ActivityRun {
  readonly seq?: number;
  readonly since: number;
}

/** What is stored besides the actor itself. */
interface Bookkeeping {
  /** The version of the workflow that it runs on. */
  readonly definition: string;
  /** Digest of the input, to tell a repeated start from another one. */
  readonly inputDigest?: string;
  readonly startMessageId?: string;
  readonly failure?: Failure;
  readonly suspended?: true;
  /** Offered again, in order, after each later transition. */
  readonly deferred?: readonly WaitingEvent[];
  /** Waits for the start, or behind the event that failed. */
  readonly held?: readonly WaitingEvent[];
  /** Since when events have been waiting without a pause, in milliseconds of the store's clock. */
  readonly waitingSince?: number;
  readonly runs?: Readonly<Record<string, ActivityRun>>;
  /** Requests (`version/n` of the effect) that declared a reply, and the event type of that reply. */
  readonly requests?: Readonly<Record<string, string>>;
  /** The last step that was traced: its W3C trace context, and when it was; and the id of the first trace. */
  readonly traced?: { readonly headers: Headers; readonly at: number; readonly first?: string };
  /** When the inbox is next worth trimming, in milliseconds of the store's clock. */
  readonly trimAt?: number;
  readonly terms: readonly string[];
}

/** A running instance in memory. It never changes: each step makes another one. */
export interface Instance extends Bookkeeping {
  readonly key: string;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Absent while only events for it have come and no start yet, or while its code is not here. */
  readonly actor?: Actor;
  /** The stored actor, untouched, while the code that it runs on is not here. */
  readonly sealed?: { readonly actor: ActorRecord; readonly why: WaybillError };
}

interface InstanceRecord extends Bookkeeping {
  readonly actor?: ActorRecord;
}

/** The record of an instance as text. */
export function encodeInstance(instance: Instance, definition: Definition | undefined): string {
  const { actor, sealed } = instance;
  // Written out: taking apart what has a dozen fields that may be missing costs more than all the rest.
  const record: { readonly [Key in keyof InstanceRecord]-?: InstanceRecord[Key] | undefined } = {
    definition: instance.definition,
    inputDigest: instance.inputDigest,
    startMessageId: instance.startMessageId,
    failure: instance.failure,
    suspended: instance.suspended,
    deferred: instance.deferred,
    held: instance.held,
    waitingSince: instance.waitingSince,
    runs: instance.runs,
    requests: instance.requests,
    traced: instance.traced,
    trimAt: instance.trimAt,
    terms: instance.terms,
    actor: actor === undefined ? sealed?.actor : definition?.stepper.pack(actor),
  };
  return JSON.stringify(record);
}

/**
 * The instance that a record stands for; sealed when its definition is not here or no longer fits it.
 * @throws WaybillError `corrupt-record` when it cannot be read.
 */
export function decodeInstance(stored: StoredInstance, registry: Registry): Instance {
  const { actor, ...bookkeeping } = parseRecord(stored);
  const { key, version, createdAt, updatedAt } = stored;
  const instance: Instance = { ...bookkeeping, key, version, createdAt, updatedAt };
  if (actor === undefined) return instance;
  const name = parseInstanceKey(key)?.workflow ?? "";
  const definition = registry.find(name, bookkeeping.definition);
  if (definition === undefined) {
    return {
      ...instance,
      sealed: { actor, why: needsCode(key, `${name}@${bookkeeping.definition}`) },
    };
  }
  return { ...instance, ...unpacked(key, actor, definition) };
}

function unpacked(
  key: string,
  actor: ActorRecord,
  definition: Definition,
): Pick<Instance, "actor" | "sealed"> {
  try {
    return { actor: definition.stepper.unpack(actor) };
  } catch (error) {
    if (error instanceof WaybillError) return { sealed: { actor, why: error } };
    throw corruptRecord(key, error);
  }
}

function parseRecord(stored: StoredInstance): InstanceRecord {
  let record: unknown;
  try {
    record = JSON.parse(stored.record);
  } catch (error) {
    throw corruptRecord(stored.key, error);
  }
  if (isRecord(record)) return record;
  throw corruptRecord(stored.key);
}

/** What an instance is refused with whose record makes no sense. */
export function corruptRecord(key: string, cause?: unknown): WaybillError {
  return new WaybillError({
    code: "corrupt-record",
    message: `The record of ${key} cannot be read.`,
    action: "Restore it from a backup or remove it; its events are set aside until then.",
    cause,
  });
}

function isRecord(value: unknown): value is InstanceRecord {
  if (typeof value !== "object" || value === null) return false;
  const { terms, actor } = value as { readonly terms?: unknown; readonly actor?: unknown };
  return Array.isArray(terms) && (actor === undefined || typeof actor === "object");
}

function needsCode(key: string, definition: string): WaybillError {
  return new WaybillError({
    code: "needs-code",
    message: `${key} runs on ${definition}, which is not registered here.`,
    action: `Register ${definition} beside the newer version until its instances have ended.`,
    retryable: true,
  });
}

/** True for an instance that has come to its end and keeps nothing for anybody. */
export function isOver({ actor, sealed, failure, deferred, held }: Instance): boolean {
  const status = actor?.snapshot.status ?? sealed?.actor.status ?? "active";
  const waiting = countOf(deferred) + countOf(held);
  return status !== "active" && failure === undefined && waiting === 0;
}

function countOf(events: readonly WaitingEvent[] | undefined): number {
  return events === undefined ? 0 : events.length;
}

/** Under which terms `list` finds an instance: status, states with their parents, tags and attributes. */
export function termsOf(instance: Instance, definition: Definition | undefined): readonly string[] {
  if (instance.sealed !== undefined) return sealedTerms(instance, instance.sealed.actor);
  if (instance.actor === undefined) return ["status:awaited"];
  if (definition === undefined) return instance.terms;
  const { snapshot } = instance.actor;
  const terms = [statusTerm(statusOf(instance, snapshot.status))];
  if (stuckBecause(instance, definition) !== undefined) terms.push(stuckTerm);
  if (instance.waitingSince !== undefined) terms.push(...waitingTerms(instance.waitingSince));
  for (const term of definition.stepper.shown(instance.actor).terms) terms.push(term);
  if (definition.workflow.attributes !== undefined) {
    terms.push(...attributeTerms(definition, snapshot.context));
  }
  // Most steps change none, and what is the same array need not be compared.
  return isSame(terms, instance.terms) ? instance.terms : terms;
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false;
  for (const [index, term] of some.entries()) if (others[index] !== term) return false;
  return true;
}

function statusTerm(status: string): string {
  return `status:${status}`;
}

/** Without its code nothing but the status can have changed. */
function sealedTerms(
  { terms, waitingSince }: Instance,
  { status }: ActorRecord,
): readonly string[] {
  const rest = terms.filter((term) => !/^(status|stuck|waiting):/.test(term));
  const own = statusTerm(status === "active" ? "suspended" : status);
  return [own, ...waitingTerms(waitingSince), ...rest];
}

/** Why nothing known can move the instance, if it is active and that is so. */
export function stuckBecause(instance: Instance, definition: Definition): string | undefined {
  const { actor, failure, suspended, held } = instance;
  if (actor === undefined || failure !== undefined || suspended === true) return undefined;
  return countOf(held) > 0 ? undefined : whyStuck(actor, definition);
}

/** The instance with the time at which its events began to wait, which stays until none waits any more. */
export function noteWaiting(instance: Instance, now: number): Instance {
  const { deferred, held, actor, sealed } = instance;
  const isWaiting = (actor ?? sealed) !== undefined && countOf(deferred) + countOf(held) > 0;
  if (isWaiting === (instance.waitingSince !== undefined)) return instance;
  const { waitingSince: _, ...rest } = instance;
  return isWaiting ? { ...rest, waitingSince: Math.floor(now) } : rest;
}

function attributeTerms({ workflow }: Definition, context: unknown): readonly string[] {
  try {
    const attributes = workflow.attributes?.(context) ?? {};
    return Object.entries(attributes).map(([name, value]) => `attribute:${name}=${String(value)}`);
  } catch {
    // A step whose attributes throw is refused; here it is a record from before they were changed.
    return [];
  }
}

/** The status that outsiders see. */
export function statusOf(
  instance: Instance,
  actorStatus: "active" | "done" | "error" | "stopped",
): "active" | "done" | "error" | "stopped" | "failed" | "suspended" {
  if (instance.failure !== undefined) return "failed";
  if (instance.suspended === true) return "suspended";
  return actorStatus;
}

/** The trace that an instance began in and, when it is another one, that of its last step. */
export function tracesOf(instance: Pick<Instance, "traced"> | undefined): readonly string[] {
  if (instance?.traced === undefined) return [];
  const { headers, first } = instance.traced;
  return [...new Set([first, traceIdOf(headers)])].filter((id) => id !== undefined);
}

/** A digest that is the same for JSON-equal values, whatever the order of their keys. */
export function jsonDigest(value: unknown): string {
  return hash("sha256", canonicalJson(value), "base64url").slice(0, 22);
}

function canonicalJson(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner) ? sorted(inner) : inner,
    ) ?? "null"
  );
}

/** With its keys in their order; the same object when they are. */
function sorted(record: object): object {
  const keys = Object.keys(record);
  const isSorted = keys.every((key, index) => index === 0 || (keys[index - 1] ?? "") < key);
  if (isSorted) return record;
  const entries = Object.entries(record);
  return Object.fromEntries(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
