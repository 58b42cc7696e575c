import type { Cancel } from "../../src/clock.ts";
import type { TransportState } from "../../src/transport.ts";

/** Shows the state of a transport, and tells those who watch of each change. */
export class StateBoard {
  readonly #listeners = new Set<(state: TransportState) => void>();
  #state: TransportState = { status: "down", reason: "not opened yet" };

  get state(): TransportState {
    return this.#state;
  }

  show(state: TransportState): void {
    if (state.status === this.#state.status && state.reason === this.#state.reason) return;
    this.#state = state;
    for (const listener of this.#listeners) tell(listener, state);
  }

  watch(listener: (state: TransportState) => void): Cancel {
    const watcher = (state: TransportState): void => listener(state);
    this.#listeners.add(watcher);
    return () => this.#listeners.delete(watcher);
  }
}

function tell(listener: (state: TransportState) => void, state: TransportState): void {
  try {
    listener(state);
  } catch {
    // One that throws must neither end the process nor keep the others from hearing.
  }
}
