const waitingPrefix = "waiting:";
const hourMs = 3_600_000;

/** What the index says of an instance that keeps events waiting: that it does, and since which hour. */
export function waitingTerms(since: number | undefined): readonly string[] {
  return since === undefined ? [] : [anyWaitingTerm, hourTerm(since)];
}

/** Carried by every instance that keeps events waiting. */
export const anyWaitingTerm = `${waitingPrefix}true`;

/** The terms of the last `hours` hours up to `now`, oldest first, each with the time at which its hour began. */
export function hourTerms(now: number, hours: number): readonly (readonly [string, number])[] {
  const thisHour = Math.floor(now / hourMs) * hourMs;
  return Array.from({ length: hours }, (_, index) => thisHour - (hours - 1 - index) * hourMs).map(
    (began) => [hourTerm(began), began],
  );
}

/** True for a term that only this engine's own look at waiting events is for. */
export function isHourTerm(term: string): boolean {
  return term.startsWith(waitingPrefix) && term !== anyWaitingTerm;
}

function hourTerm(at: number): string {
  return `${waitingPrefix}${new Date(at).toISOString().slice(0, 13)}`;
}
