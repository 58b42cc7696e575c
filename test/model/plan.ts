import {
  type Commit,
  type Guards,
  generationOf,
  type Instance,
  type Owner,
  pieces,
  type State,
  timersOf,
} from "./state.ts";

/** What a batch comes to, given what its owner knows. It changes nothing. */
export function plan(
  { store, clock, nextCommit }: State,
  guards: Guards,
  owner: Pick<Owner, "cache" | "handled" | "tooOld" | "confirmed">,
  batch: { readonly messages: string; readonly rows: string },
): Commit {
  const before = owner.cache ?? store.instance;
  const fired = fire(before, guards, { rows: batch.rows, clock });
  let { instance } = fired;
  let inbox = "";
  let outboxAdded = "";
  let deadLetters = "";
  for (const message of pieces(batch.messages, 2)) {
    const [event = ""] = message;
    if (inbox.includes(event) || owner.handled.includes(event)) continue;
    if (owner.tooOld.includes(event)) {
      deadLetters += event;
      continue;
    }
    instance = { ...instance, taken: instance.taken + event };
    inbox += message;
    outboxAdded += `${instance.taken.length}${event}`;
  }
  return {
    id: nextCommit,
    expected: before.taken.length,
    instance,
    steps: instance.taken.slice(before.taken.length),
    inbox,
    outboxAdded,
    outboxSettled: owner.confirmed,
    armed: fired.armed,
    disarmed: fired.disarmed,
    deadLetters,
    notBefore: fired.notBefore,
  };
}

function fire(
  before: Instance,
  { generation }: Guards,
  { rows, clock }: { readonly rows: string; readonly clock: number },
): {
  readonly instance: Instance;
  readonly armed: string;
  readonly disarmed: string;
  readonly notBefore: number;
} {
  let instance = before;
  let disarmed = rows;
  let notBefore = 0;
  for (const [name = "", visit] of pieces(rows, 3)) {
    const armed = timersOf(instance);
    const isLive = generation ? Number(visit) === generationOf(instance) : true;
    if (!isLive || armed === "") continue;
    notBefore = Math.max(notBefore, instance.due);
    disarmed += armed;
    instance = { taken: instance.taken + name, due: clock + 1 };
  }
  const armed = instance === before ? "" : timersOf(instance);
  return { instance, armed, disarmed, notBefore };
}

/** True when there is nothing to write. */
export function isEmpty(commit: Commit): boolean {
  const { steps, inbox, outboxSettled, disarmed, deadLetters } = commit;
  return steps + inbox + outboxSettled + disarmed + deadLetters === "";
}
