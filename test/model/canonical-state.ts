import type { Commit, Process, State, Store } from "./state.ts";

const texts = new WeakMap<Commit, string>();

/** Text that is the same for states which differ in nothing but names: of the processes, and of the commits. */
export function canonical(state: State): string {
  const [one, other] = state.processes.map((process) => processText(process, []));
  if (one !== other) return written(state, (one ?? "") < (other ?? "") ? 0 : 1);
  const asItIs = written(state, 0);
  const turned = written(state, 1);
  return asItIs < turned ? asItIs : turned;
}

function written(state: State, first: 0 | 1): string {
  const second = 1 - first;
  const ids: number[] = [state.store.lastCommit];
  const { processes, unacked, wire, left } = state;
  const role = (index: number | undefined) =>
    index === undefined ? "-" : index === first ? "x" : "y";
  return [
    storeText(state.store),
    state.saved === state.store
      ? ""
      : `${storeText(state.saved)}${idText(ids, state.saved.lastCommit)}`,
    state.queue,
    state.later,
    state.consumers.replaceAll(String(first), "x").replaceAll(String(second), "y"),
    unacked[first],
    unacked[second as 0 | 1],
    role(state.leaseholder),
    processText(processes[first], ids),
    processText(processes[second as 0 | 1], ids),
    wire
      .map(
        ({ by, epochIsPresent, commit }) =>
          `${role(by)}${epochIsPresent}${idText(ids, commit.id)}${commitText(commit)}`,
      )
      .toSorted()
      .join("&"),
    state.wakeUps,
    state.delivered,
    state.clock,
    `${left.crash}${left.freeze}${left.link}${left.timeout}${left.command}${left.confirm}${left.copy}${left.wakeUp}${left.power}`,
    state.broken ?? "",
  ].join("|");
}

function storeText(store: Store): string {
  const { instance, history, inbox, outbox, timers, deadLetters } = store;
  return `${instance.taken},${instance.due},${history},${inbox},${outbox},${timers},${deadLetters}`;
}

function processText(process: Process, ids: number[]): string {
  if (process === "idle") return process;
  const {
    epochIsPresent,
    cache,
    intake,
    rows,
    flight,
    outbox,
    confirmed,
    handled,
    tooOld,
    isAwake,
  } = process;
  const known = cache === undefined ? "?" : `${cache.taken}${cache.due}`;
  const own = `${epochIsPresent},${known},${intake},${rows},${outbox},${confirmed},${handled},${tooOld},${isAwake}`;
  if (flight === undefined) return own;
  const { messages, commit, answer, resent } = flight;
  const said = answer === undefined ? "" : answer.kind + answer.events;
  return `${own},${messages},${flight.rows},${idText(ids, commit.id)},${commitText(commit)},${said},${resent}`;
}

/** Only which ids are the same matters. */
function idText(ids: number[], id: number): number {
  const known = ids.indexOf(id);
  return known >= 0 ? known : ids.push(id) - 1;
}

function commitText(commit: Commit): string {
  const known = texts.get(commit);
  if (known !== undefined) return known;
  const { id: _, instance, ...rest } = commit;
  const text = [instance.taken, instance.due, ...Object.values(rest)].join(",");
  texts.set(commit, text);
  return text;
}
