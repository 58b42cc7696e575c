import type {
  Arrival,
  ChildArrival,
  ControlArrival,
  EventArrival,
  LetterArrival,
  ResultArrival,
  StartArrival,
  WatchArrival,
} from "./arrival.ts";
import { wire } from "./wire.ts";

type Common = Omit<EventArrival, "kind" | "type" | "payload" | "key">;
type Named = Common & { readonly key: string };
type Body = Readonly<Record<string, unknown>>;
/** What a reader makes of a body, or undefined when it is not one of its kind. */
type Reader = (common: Named, body: Body) => Arrival | undefined;

/**
 * Reads a message of the engine's own. Its body was written by us, but perhaps by another version of us, so that what
 * is worked with is looked at; undefined when it is not what the type says.
 */
export function readInternal(common: Named, type: string, body: Body): Arrival | undefined {
  return readers.get(type)?.(common, body);
}

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [wire.start, readStart],
  [wire.result, readResult],
  [wire.child, readChild],
  [wire.toChild, readToChild],
  [wire.control, readControl],
  [wire.letter, readLetter],
  [wire.stop, (common) => ({ ...common, kind: "stop" })],
  [wire.watch, readWatch],
]);

const policies = ["same-input", "reject", "use-existing", "terminate-existing"] as const;

function readStart(common: Named, body: Body): StartArrival | undefined {
  const { input, onConflict = "same-input", parent } = body;
  if (!isOneOf(onConflict, policies)) return undefined;
  const start = { ...common, kind: "start", type: wire.start, input, onConflict } as const;
  if (parent === undefined) return start;
  if (!isObject(parent)) return undefined;
  const { key, childId, generation } = parent;
  if (typeof key !== "string" || !isRun(childId, generation)) return undefined;
  return { ...start, parent: { key, childId: String(childId), generation: Number(generation) } };
}

function readResult(common: Named, body: Body): ResultArrival | undefined {
  const { activity, generation, attempt, outcome } = body;
  if (!isRun(activity, generation) || !Number.isInteger(attempt)) return undefined;
  if (!isObject(outcome) || !isOneOf(outcome["kind"], ["done", "error"])) return undefined;
  const run = { activity: String(activity), generation: Number(generation) };
  const came = outcome as unknown as ResultArrival["outcome"];
  return { ...common, kind: "result", ...run, attempt: Number(attempt), outcome: came };
}

function readChild(common: Named, body: Body): ChildArrival | undefined {
  const { childId, generation, news } = body;
  if (!isRun(childId, generation) || !isObject(news)) return undefined;
  const { kind, event } = news;
  const isEvent = kind === "event" && isObject(event) && typeof event["type"] === "string";
  if (!isEvent && !isOneOf(kind, ["done", "error"])) return undefined;
  const came = news as unknown as ChildArrival["news"];
  const child = { childId: String(childId), generation: Number(generation) };
  return { ...common, kind: "child", ...child, news: came };
}

function readToChild(common: Named, { type, ...payload }: Body): EventArrival | undefined {
  if (typeof type !== "string") return undefined;
  return { ...common, kind: "event", type, payload, internal: true };
}

function readControl(common: Named, { action }: Body): ControlArrival | undefined {
  if (!isOneOf(action, ["retry", "terminate", "suspend", "resume"])) return undefined;
  return { ...common, kind: "control", action };
}

function readLetter(common: Named, { action, letter }: Body): LetterArrival | undefined {
  if (!isOneOf(action, ["redrive", "drop"])) return undefined;
  return typeof letter === "string" ? { ...common, kind: "letter", action, letter } : undefined;
}

function readWatch(common: Named, { until }: Body): WatchArrival | undefined {
  if (typeof until !== "string" || !/^(done$|state:|tag:)/.test(until)) return undefined;
  return { ...common, kind: "watch", until: until as WatchArrival["until"] };
}

function isRun(name: unknown, generation: unknown): boolean {
  return typeof name === "string" && Number.isInteger(generation);
}

function isObject(value: unknown): value is Body {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOneOf<Value extends string>(value: unknown, values: readonly Value[]): value is Value {
  return (values as readonly unknown[]).includes(value);
}
