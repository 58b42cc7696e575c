import type { Guards, Owner, Process, State } from "./state.ts";

export const processNames = ["A", "B"] as const;

/** The state with another process at this place. */
export function withProcess(state: State, index: number, process: Process): State {
  const [first, second] = state.processes;
  return { ...state, processes: index === 0 ? [process, second] : [first, process] };
}

/** The state after the broker has taken back what a consumer holds. */
export function withoutConsumer(state: State, index: number): State {
  if (!state.consumers.includes(String(index))) return state;
  const [first, second] = state.unacked;
  return {
    ...state,
    consumers: state.consumers.replace(String(index), ""),
    queue: (index === 0 ? first : second) + state.queue,
    unacked: index === 0 ? ["", second] : [first, ""],
  };
}

/** Takes the partition under the next epoch, with what the last owner left in the outbox, and consumes. */
export function claim(state: State, guards: Guards, index: number): State {
  const [first, second] = state.processes.map((one) =>
    one === "idle" ? one : { ...one, epochIsPresent: false },
  ) as [Process, Process];
  const owner: Owner = {
    epochIsPresent: true,
    cache: undefined,
    intake: "",
    rows: "",
    flight: undefined,
    outbox: guards.redrive ? state.store.outbox : "",
    confirmed: "",
    handled: "",
    tooOld: "",
    isAwake: true,
  };
  const claimed: State = {
    ...state,
    processes: [first, second],
    wire: state.wire.map((command) => ({ ...command, epochIsPresent: false })),
    leaseholder: guards.lease ? index : undefined,
    consumers: state.consumers.includes(String(index))
      ? state.consumers
      : `${state.consumers}${index}`,
  };
  return withProcess(claimed, index, owner);
}

/**
 * Gives up at once, without acknowledging anything. Its lease counts as over from now on: how long the next claim
 * waits for that changes nothing, since every claim may come as late as it likes.
 */
export function end(state: State, index: number): State {
  const leaseholder = state.leaseholder === index ? undefined : state.leaseholder;
  return withProcess(withoutConsumer({ ...state, leaseholder }, index), index, "idle");
}
