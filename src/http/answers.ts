import type { DeadLetter, Health, HistoryEntry, InstanceView } from "../engine/client.ts";

/** Milliseconds since the Unix epoch as ISO 8601 text in UTC. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** An instance as JSON: as the client sees it, with its times as ISO 8601 text. */
export function instanceJson(instance: InstanceView) {
  return {
    ...instance,
    timers: instance.timers.map((timer) => ({ ...timer, due: isoTime(timer.due) })),
    createdAt: isoTime(instance.createdAt),
    updatedAt: isoTime(instance.updatedAt),
  };
}

/** An entry of an instance's history as JSON. */
export function historyJson(entry: HistoryEntry) {
  return { ...entry, at: isoTime(entry.at) };
}

/** A dead letter as JSON; its body stays the text that it came as. */
export function deadLetterJson(letter: DeadLetter) {
  return { ...letter, at: isoTime(letter.at) };
}

/** The health of the process as JSON. */
export function healthJson(health: Health) {
  return {
    ...health,
    partitions: health.partitions.map(({ leaseUntil, nextDue, ...partition }) => ({
      ...partition,
      leaseUntil: isoTime(leaseUntil),
      ...(nextDue !== undefined && { nextDue: isoTime(nextDue) }),
    })),
  };
}
