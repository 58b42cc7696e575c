import { execute } from "./judge.ts";
import { end, processNames, withProcess } from "./owning.ts";
import { isEmpty, plan } from "./plan.ts";
import {
  type Command,
  type Flight,
  type Guards,
  type Owner,
  pieces,
  type State,
  without,
} from "./state.ts";

const prefetch = 2;

/** What the owner of a partition does next of its own accord, as `src/engine/partition.ts` has it. */
export interface Step {
  readonly label: string;
  readonly state: State;
}

/** Every move of an owner but the faults. */
export function* ownerMoves(
  state: State,
  guards: Guards,
  index: number,
): Generator<Step, void, undefined> {
  const owner = state.processes[index];
  if (owner === undefined || owner === "idle") return;
  const name = processNames[index] ?? "";
  const { flight } = owner;
  yield* deliver(state, guards, { index, owner });
  if (flight === undefined) {
    yield* look(state, guards, { index, owner });
    if (owner.intake + owner.rows + owner.confirmed !== "") {
      const { intake: messages, rows } = owner;
      const taken = { ...owner, intake: "", rows: "" };
      yield send(state, guards, { index, owner: taken, batch: { messages, rows } });
    }
  } else if (flight.answer !== undefined) {
    yield take(state, guards, { index, owner, flight, answer: flight.answer });
  } else if (!state.wire.some(({ commit }) => commit.id === flight.commit.id)) {
    yield { label: `${name} repeats its commit`, state: resend(state, index) };
  }
  const [effect] = pieces(owner.outbox, 2);
  if (effect !== undefined) {
    yield {
      label: `${name} publishes effect ${effect}`,
      state: publish(state, { index, arrives: true, isConfirmed: true }),
    };
  }
}

interface Owning {
  readonly index: number;
  readonly owner: Owner;
}

function* deliver(
  state: State,
  { ackAfterCommit }: Guards,
  { index, owner }: Owning,
): Generator<Step, void, undefined> {
  const { queue, consumers, unacked } = state;
  const message = queue.slice(0, 2);
  const held = unacked[index] ?? "";
  if (message === "" || consumers[0] !== String(index) || held.length >= prefetch * 2) return;
  const holds = ackAfterCommit ? held + message : held;
  yield {
    label: `${message[0]} is delivered to ${processNames[index]}`,
    state: withProcess(
      {
        ...state,
        queue: queue.slice(2),
        unacked: index === 0 ? [holds, unacked[1]] : [unacked[0], holds],
      },
      index,
      { ...owner, intake: owner.intake + message },
    ),
  };
}

/** A look into the store for due timers: once a second, or when something has woken the partition. */
function* look(
  state: State,
  { sweep, wakeUps }: Guards,
  { index, owner }: Owning,
): Generator<Step, void, undefined> {
  const { store, clock } = state;
  const mayLook = sweep || owner.isAwake;
  if (owner.rows !== "" || store.timers === "" || !mayLook) return;
  const due = pieces(store.timers, 3).filter((row) => Number(row[2]) <= clock);
  const next = pieces(store.timers, 3).find((row) => Number(row[2]) > clock)?.[2] ?? "";
  const isHinted = next === "" || !wakeUps || state.wakeUps.includes(next);
  if (due.length === 0 && (sweep || (isHinted && !owner.isAwake))) return;
  yield {
    label: `${processNames[index]} finds timers due: ${due.join(" ") || "none"}`,
    state: withProcess(
      { ...state, wakeUps: isHinted ? state.wakeUps : state.wakeUps + next },
      index,
      { ...owner, rows: due.join(""), isAwake: false },
    ),
  };
}

/** Plans the batch and sends it to the store; with nothing to write it is done at once. */
function send(
  state: State,
  guards: Guards,
  { index, owner, batch }: Owning & { readonly batch: { messages: string; rows: string } },
): Step {
  const commit = plan(state, guards, owner, batch);
  const name = processNames[index] ?? "";
  const cache = owner.cache ?? state.store.instance;
  if (isEmpty(commit)) {
    const done = withProcess(acked(state, index, batch.messages), index, { ...owner, cache });
    return {
      label: `${name} has nothing to write, and acknowledges ${batch.messages}`,
      state: done,
    };
  }
  const flight: Flight = { ...batch, commit, answer: undefined, resent: false };
  const command: Command = { by: index, epochIsPresent: owner.epochIsPresent, commit };
  const early = guards.publishAfterCommit ? "" : commit.outboxAdded;
  const sent: State = {
    ...state,
    wire: [...state.wire, command],
    nextCommit: state.nextCommit + 1,
    delivered: state.delivered + without(early, 2, state.delivered),
  };
  return {
    label: `${name} sends a commit: ${commit.steps === "" ? "no step" : `steps ${commit.steps}`}`,
    state: withProcess(sent, index, { ...owner, cache, flight }),
  };
}

/** The owner hears what the store has said. */
function take(
  state: State,
  guards: Guards,
  {
    index,
    owner,
    flight,
    answer,
  }: Owning & { flight: Flight; answer: { kind: string; events: string } },
): Step {
  const label = `${processNames[index]} hears: ${answer.kind}`;
  if (answer.kind === "fenced") return { label, state: end(state, index) };
  if (answer.kind === "committed") {
    const done = settled(acked(state, index, flight.messages), guards, { index, owner, flight });
    if (!flight.resent || !guards.endAfterResend) return { label, state: done };
    return { label: `${label}, and claims anew as it had to repeat it`, state: end(done, index) };
  }
  const learnt: Owner = {
    ...owner,
    flight: undefined,
    cache: answer.kind === "conflict" ? undefined : owner.cache,
    handled: owner.handled + (answer.kind === "duplicate" ? answer.events : ""),
    tooOld: owner.tooOld + (answer.kind === "too-old" ? answer.events : ""),
  };
  const anew = send(state, guards, { index, owner: learnt, batch: flight });
  return { ...anew, label: `${label}; ${anew.label}` };
}

function settled(
  state: State,
  { wakeUps }: Guards,
  { index, owner, flight }: Owning & { readonly flight: Flight },
): State {
  const { commit } = flight;
  const due = commit.armed[2] ?? "";
  const hint = wakeUps && due !== "" && !state.wakeUps.includes(due) ? due : "";
  return withProcess({ ...state, wakeUps: state.wakeUps + hint }, index, {
    ...owner,
    flight: undefined,
    cache: commit.steps === "" ? owner.cache : commit.instance,
    outbox: owner.outbox + commit.outboxAdded,
    confirmed: without(owner.confirmed, 2, commit.outboxSettled),
    handled: "",
    tooOld: "",
  });
}

/** The broker forgets the messages, if it still counts this process among its consumers. */
function acked(state: State, index: number, messages: string): State {
  const held = state.unacked[index] ?? "";
  if (!held.startsWith(messages)) return state;
  const left = held.slice(messages.length);
  return { ...state, unacked: index === 0 ? [left, state.unacked[1]] : [state.unacked[0], left] };
}

/** Another copy of the commit is on its way, under the same id. */
export function resend(state: State, index: number): State {
  const owner = state.processes[index];
  if (owner === undefined || owner === "idle" || owner.flight === undefined) return state;
  const { epochIsPresent, flight } = owner;
  const command = { by: index, epochIsPresent, commit: flight.commit };
  return withProcess({ ...state, wire: [...state.wire, command] }, index, {
    ...owner,
    flight: { ...flight, answer: undefined, resent: true },
  });
}

/** The first effect of the outbox is sent to the broker; what is not confirmed stays. */
export function publish(
  state: State,
  { index, arrives, isConfirmed }: { index: number; arrives: boolean; isConfirmed: boolean },
): State {
  const owner = state.processes[index];
  if (owner === undefined || owner === "idle") return state;
  const effect = owner.outbox.slice(0, 2);
  const isNew = arrives && !pieces(state.delivered, 2).includes(effect);
  const delivered = isNew ? state.delivered + effect : state.delivered;
  if (!isConfirmed) return { ...state, delivered };
  return withProcess({ ...state, delivered }, index, {
    ...owner,
    outbox: owner.outbox.slice(2),
    confirmed: owner.confirmed + effect,
  });
}

/** The store meets one command; the answer reaches whoever waits for it. */
export function executeCommand(state: State, guards: Guards, at: number): State {
  const command = state.wire[at];
  if (command === undefined) return state;
  const wire = state.wire.filter((_, index) => index !== at);
  const { state: after, answer } = execute({ ...state, wire }, guards, command);
  const sender = after.processes[command.by];
  if (sender === undefined || sender === "idle") return after;
  const { flight } = sender;
  if (flight?.commit.id !== command.commit.id || flight.answer !== undefined) return after;
  return withProcess(after, command.by, { ...sender, flight: { ...flight, answer } });
}
