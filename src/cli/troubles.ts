import type { Observation, Observer } from "../observer.ts";

/** Tells a person what went wrong, each kind of trouble at most once in a while. */
export function troubleObserver(tell: (line: string) => void, now: () => number): Observer {
  const told = new Map<string, number>();
  return {
    observe(observation) {
      const line = describe(observation);
      if (line === undefined) return;
      const last = told.get(line);
      if (last !== undefined && now() - last < quietMs) return;
      told.set(line, now());
      if (told.size > mostRemembered) told.clear();
      tell(line);
    },
  };
}

const quietMs = 5_000;
const mostRemembered = 1_000;

function describe(observation: Observation): string | undefined {
  const { kind } = observation;
  if (kind === "trouble") return `${observation.where}: ${observation.message}`;
  if (kind === "dead-letter") {
    return `dead letter ${observation.id} (${observation.reason}): ${observation.detail}`;
  }
  if (kind === "finding" || kind === "stuck" || kind === "loop-blocked") {
    return observation.message;
  }
  if (kind === "failed") {
    return `${observation.key} failed on ${observation.type}: ${observation.error}`;
  }
  if (kind !== "partition" || observation.change !== "lost") return undefined;
  return `partition ${observation.partition} was lost: ${observation.reason}`;
}
