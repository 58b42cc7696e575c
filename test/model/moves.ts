import { executeCommand, ownerMoves, publish, resend, type Step } from "./owner-moves.ts";
import { claim, end, processNames, withoutConsumer, withProcess } from "./owning.ts";
import { type Faults, type Guards, pieces, type Scenario, type State, without } from "./state.ts";

/** Something that can happen next. */
export interface Move extends Step {
  /** It need not ever happen, and happens only so often. */
  readonly isFault: boolean;
}

export interface Configuration {
  readonly guards: Guards;
  readonly scenario: Scenario;
}

/** Everything that can happen next. */
export function* moves(state: State, config: Configuration): Generator<Move, void, undefined> {
  const { guards, scenario } = config;
  for (const index of [0, 1]) {
    for (const step of ownerMoves(state, guards, index)) yield { ...step, isFault: false };
    for (const step of processMoves(state, guards, index)) yield { ...step, isFault: false };
    yield* processFaults(state, guards, index);
  }
  for (const at of state.wire.keys()) yield* commandMoves(state, guards, at);
  yield* surroundings(state, guards, scenario);
}

/** What a process does about owning the partition, as `src/engine/ownership.ts` has it. */
function* processMoves(
  state: State,
  guards: Guards,
  index: number,
): Generator<Step, void, undefined> {
  const process = state.processes[index];
  const name = processNames[index];
  const isConsumer = state.consumers.includes(String(index));
  const isActive = state.consumers[0] === String(index);
  if (process === "idle") {
    const isFree = state.leaseholder === undefined;
    if (guards.lease ? isFree : isActive && state.queue !== "") {
      yield { label: `${name} claims the partition`, state: claim(state, guards, index) };
    }
    if (!guards.lease && !isConsumer) {
      const consumers = `${state.consumers}${index}`;
      yield { label: `${name} consumes`, state: { ...state, consumers } };
    }
  } else {
    const isReplaced = guards.lease && state.leaseholder !== index;
    if (isReplaced)
      yield { label: `${name} sees that its lease is over`, state: end(state, index) };
    if (!isConsumer)
      yield { label: `${name} sees that its consumer is gone`, state: end(state, index) };
  }
}

/** One trouble less is left. */
function spent(state: State, fault: keyof Faults): State {
  return { ...state, left: { ...state.left, [fault]: state.left[fault] - 1 } };
}

function* processFaults(
  state: State,
  guards: Guards,
  index: number,
): Generator<Move, void, undefined> {
  const process = state.processes[index];
  if (process === undefined || process === "idle") return;
  const name = processNames[index];
  const { left, leaseholder, consumers } = state;
  const isFault = true;
  if (left.crash > 0) {
    yield { isFault, label: `${name} crashes`, state: end(spent(state, "crash"), index) };
  }
  if (left.freeze > 0 && leaseholder === index) {
    const frozen = { ...spent(state, "freeze"), leaseholder: undefined };
    yield { isFault, label: `${name} is frozen until its lease is over`, state: frozen };
  }
  if (left.link > 0 && consumers.includes(String(index))) {
    const dropped = withoutConsumer(spent(state, "link"), index);
    yield { isFault, label: `the broker gives up its connection to ${name}`, state: dropped };
  }
  const isOnItsWay = state.wire.some(({ commit }) => commit.id === process.flight?.commit.id);
  const isOpen = process.flight?.answer !== undefined || isOnItsWay;
  if (left.timeout > 0 && process.flight !== undefined && isOpen) {
    const repeated = resend(spent(state, "timeout"), index);
    yield { isFault, label: `${name} waits no longer and repeats its commit`, state: repeated };
  }
  if (left.confirm > 0 && process.outbox !== "") {
    const effect = process.outbox.slice(0, 2);
    const unlucky = spent(state, "confirm");
    const published = publish(unlucky, { index, arrives: true, isConfirmed: !guards.confirm });
    yield {
      isFault,
      label: `${name} publishes ${effect}, and the confirm is lost`,
      state: published,
    };
    const lost = publish(unlucky, { index, arrives: false, isConfirmed: !guards.confirm });
    yield { isFault, label: `${name} publishes ${effect}, which is lost on its way`, state: lost };
  }
}

function* commandMoves(state: State, guards: Guards, at: number): Generator<Move, void, undefined> {
  const command = state.wire[at];
  if (command === undefined) return;
  const what = `a commit of ${processNames[command.by]} (${command.commit.steps || "no step"})`;
  yield {
    isFault: false,
    label: `the store receives ${what}`,
    state: executeCommand(state, guards, at),
  };
  if (state.left.command > 0) {
    const wire = state.wire.filter((_, index) => index !== at);
    yield { isFault: true, label: `${what} is lost`, state: { ...spent(state, "command"), wire } };
  }
}

function* surroundings(
  state: State,
  guards: Guards,
  { copied, lastTime }: Scenario,
): Generator<Move, void, undefined> {
  const { left, clock, later } = state;
  const isFault = true;
  if (later !== "") {
    const [event] = later;
    const queue = `${state.queue}${event}${clock}`;
    yield {
      isFault: false,
      label: `${event} is published`,
      state: { ...state, queue, later: later.slice(1) },
    };
  }
  if (clock < lastTime) {
    yield { isFault: false, label: "time passes", state: { ...state, clock: clock + 1 } };
  }
  if (left.copy > 0) {
    for (const message of pieces(copied, 2)) {
      const again = { ...spent(state, "copy"), queue: state.queue + message };
      yield { isFault, label: `${message[0]} is published once more`, state: again };
    }
  }
  if (state.saved !== state.store) {
    yield {
      isFault: false,
      label: "the store writes to its disk",
      state: { ...state, saved: state.store },
    };
    if (left.power > 0) {
      yield {
        isFault,
        label: "the store loses power",
        state: { ...spent(state, "power"), store: state.saved },
      };
    }
  }
  if (!guards.sweep) yield* wakeUps(state);
}

/** With the sweep they would change nothing that could be told apart without a watch. */
function* wakeUps(state: State): Generator<Move, void, undefined> {
  for (const due of state.wakeUps) {
    const rest = { ...state, wakeUps: without(state.wakeUps, 1, due) };
    const active = Number(state.consumers[0] ?? -1);
    const owner = state.processes[active];
    if (Number(due) <= state.clock && owner !== undefined && owner !== "idle") {
      const woken = withProcess(rest, active, { ...owner, isAwake: true });
      yield { isFault: false, label: `${processNames[active]} is woken`, state: woken };
    }
    if (state.left.wakeUp > 0) {
      yield { isFault: true, label: "a wake-up is lost", state: spent(rest, "wakeUp") };
    }
  }
}
