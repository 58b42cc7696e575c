/** A timer of an instance. Names that start with `~` are the engine's own, the others the machine's. */
export interface TimerName {
  readonly key: string;
  readonly generation: number;
  readonly name: string;
}

/** The id of a timer's row: unique in its partition, since keys hold no `#`. */
export function timerId({ key, generation, name }: TimerName): string {
  return `${key}#${generation}#${name}`;
}

/** The parts of a timer's id, or undefined for text that is none. */
export function parseTimerId(id: string): TimerName | undefined {
  const [, key, generation, name] = /^([^#]+)#(\d+)#(.*)$/s.exec(id) ?? [];
  if (key === undefined || name === undefined) return undefined;
  return { key, generation: Number(generation), name };
}

/** Ends the wait for an instance that nobody has started. */
export const limboTimer = "~limbo";

/** Ends the time for which an instance is kept after its end. */
export const retentionTimer = "~retention";

/** Looks again whether the code of an instance is here, for the events that are kept for it. */
export const heldTimer = "~held";

/** Runs out when an attempt of a queued activity has given no sign of life. */
export function leaseTimer(activity: string, attempt: number): string {
  return `~lease:${attempt}:${activity}`;
}

/** Starts the next attempt of an activity. */
export function retryTimer(activity: string, attempt: number): string {
  return `~retry:${attempt}:${activity}`;
}

/** Ends an activity with all its attempts. */
export function deadlineTimer(activity: string): string {
  return `~deadline:0:${activity}`;
}

/** What an engine timer is about, or undefined when it is the machine's. */
export function parseEngineTimer(
  name: string,
):
  | { readonly kind: "lease" | "retry" | "deadline"; attempt: number; activity: string }
  | undefined {
  const [, kind, attempt, activity] = /^~(lease|retry|deadline):(\d+):(.*)$/s.exec(name) ?? [];
  if (activity === undefined) return undefined;
  if (kind !== "lease" && kind !== "retry" && kind !== "deadline") return undefined;
  return { kind, attempt: Number(attempt), activity };
}
