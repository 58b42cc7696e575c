import { pieces, type Scenario, type State } from "./state.ts";

/** The promise that a state breaks, in words; undefined when it keeps all of them. */
export function brokenPromise(state: State): string | undefined {
  const { store, delivered, broken } = state;
  const { history, instance, deadLetters } = store;
  if (broken !== undefined) return broken;
  const taken = pieces(history, 1);
  const twice = taken.find((step, at) => isEvent(step) && taken.indexOf(step) !== at);
  if (twice !== undefined) return `event ${twice} was applied twice (${history})`;
  if (instance.taken !== history) {
    return `a committed step was overwritten: the instance has ${instance.taken || "none"}, its history ${history}`;
  }
  const late = taken.indexOf("b");
  const isFirstMissing = !history.includes("a") && !deadLetters.includes("a");
  if (late >= 0 && (isFirstMissing || taken.indexOf("a") > late)) {
    return `the order of a sender was lost (${history})`;
  }
  const promised = effectsOf(history);
  const stray = pieces(delivered, 2).find((effect) => !promised.includes(effect));
  if (stray !== undefined)
    return `effect ${stray} went out, and no step has asked for it (${history})`;
  const inOrder = promised.slice(0, delivered.length / 2).join("");
  return inOrder === delivered ? undefined : `effects went out of order: ${delivered}`;
}

/** What has been accepted or promised and is not done; undefined when all is. */
export function unfinished(state: State, { queue, later, lastTime }: Scenario): string | undefined {
  const { store, delivered, clock } = state;
  const { history, deadLetters, outbox, timers } = store;
  const events =
    pieces(queue, 2)
      .map(([event = ""]) => event)
      .join("") + later;
  const lost = pieces(events, 1).find(
    (one) => !history.includes(one) && !deadLetters.includes(one),
  );
  if (lost !== undefined) return `event ${lost} is lost (history: ${history || "none"})`;
  const missing = effectsOf(history).find((effect) => !delivered.includes(effect));
  if (missing !== undefined) return `effect ${missing} never goes out`;
  const overdue = pieces(timers, 3).find((row) => Number(row[2]) <= clock);
  if (overdue !== undefined) return `timer ${overdue.slice(0, 2)} never fires`;
  if (clock < lastTime) return "time stands still";
  if (outbox !== "") return `effect ${outbox.slice(0, 2)} never leaves the outbox`;
  const waiting = state.queue + state.unacked.join("");
  return waiting === "" ? undefined : `${waiting} is never acknowledged`;
}

/** What the steps of an instance ask for: one effect for each event. */
function effectsOf(history: string): readonly string[] {
  return pieces(history, 1).flatMap((step, at) => (isEvent(step) ? [`${at + 1}${step}`] : []));
}

function isEvent(step: string): boolean {
  return step < "p";
}
