import type { Cancel, Clock } from "../../clock.ts";

/** Sends a call, and resolves with its answer. */
export type Send = () => Promise<unknown>;

interface Call {
  /** By the clock's monotonic time. */
  readonly endsAt: number;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Undefined when it was sent. */
  send: Send | undefined;
}

export interface CallsOptions {
  readonly clock: Pick<Clock, "after" | "monotonic">;
  /** How long each of them may take. */
  readonly deadlineMs: number;
  /** The error of one that took longer. */
  readonly late: () => Error;
  /** What is made of any other error. */
  readonly failure: (error: unknown) => Error;
}

/** Calls under way. As all have the same deadline, they end in the order in which they began, and share one timer. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #pending = new Set<Call>();
  #stopWatch: Cancel | undefined;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** Settles once, in time; sends at once or when `start` is called. */
  make(send: Send, isReady: boolean): Promise<unknown> {
    const { clock, deadlineMs } = this.#options;
    return new Promise((resolve, reject) => {
      const call: Call = { endsAt: clock.monotonic() + deadlineMs, resolve, reject, send };
      this.#pending.add(call);
      this.#stopWatch ??= clock.after(deadlineMs, () => this.#endLate());
      if (isReady) this.#start(call);
    });
  }

  /** Sends what waits. */
  start(): void {
    for (const call of this.#pending) this.#start(call);
  }

  failSent(error: () => Error): void {
    for (const call of this.#pending) if (call.send === undefined) this.#fail(call, error());
  }

  failAll(error: () => Error): void {
    for (const call of this.#pending) this.#fail(call, error());
    this.#stopWatch?.();
    this.#stopWatch = undefined;
  }

  #start(call: Call): void {
    const { send } = call;
    if (send === undefined) return;
    call.send = undefined;
    send().then(
      (answer) => {
        if (this.#pending.delete(call)) call.resolve(answer);
      },
      (error: unknown) => this.#fail(call, this.#options.failure(error)),
    );
  }

  #fail(call: Call, error: Error): void {
    if (this.#pending.delete(call)) call.reject(error);
  }

  #endLate(): void {
    const { clock, late } = this.#options;
    this.#stopWatch = undefined;
    const now = clock.monotonic();
    for (const call of this.#pending) {
      if (call.endsAt > now) {
        this.#stopWatch = clock.after(call.endsAt - now, () => this.#endLate());
        return;
      }
      this.#fail(call, late());
    }
  }
}
