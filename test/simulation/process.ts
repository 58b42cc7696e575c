import type { Cancel, Clock } from "../../src/clock.ts";
import type { Chance } from "./chance.ts";
import type { Scheduler } from "./scheduler.ts";

/** The store's clock, and every wall clock that is right, at the beginning of a simulation. */
export const epochMs = 1_800_000_000_000;

interface Held {
  readonly kind: "timer" | "io";
  readonly task: () => void;
}

/**
 * One operating system process. Whatever reaches the code in it (timers, answers, deliveries) goes through
 * `enter`: nothing gets into a dead one, and what comes for a frozen one waits until it thaws.
 */
export class SimulatedProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #bootedAt: number;
  #state: "running" | "frozen" | "dead" = "running";
  #held: Held[] = [];
  #skewMs = 0;

  constructor(options: { name: string; scheduler: Scheduler; chance: Chance }) {
    this.name = options.name;
    this.#scheduler = options.scheduler;
    this.#chance = options.chance;
    // Monotonic clocks of different processes have nothing in common.
    this.#bootedAt = options.chance.between(0, 1_000_000);
    this.clock = {
      monotonic: () => this.#scheduler.now + this.#bootedAt,
      wall: () => epochMs + this.#scheduler.now + this.#skewMs,
      after: (delayMs, task) => this.#after(delayMs, task),
      soon: (task) => void this.#scheduler.at(0, () => this.enter("io", task)),
    };
  }

  get state(): "running" | "frozen" | "dead" {
    return this.#state;
  }

  /** Lets something happen to the code of this process, now or when it thaws; never once it is dead. */
  enter(kind: "timer" | "io", task: () => void): void {
    if (this.#state === "running") task();
    else if (this.#state === "frozen") this.#held.push({ kind, task });
  }

  /** A promise for the code of this process that settles like `work`, as far as the process can notice. */
  gate<T>(
    start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      start(
        (value) => this.enter("io", () => resolve(value)),
        (error) => this.enter("io", () => reject(error)),
      );
    });
  }

  kill(): void {
    this.#state = "dead";
    this.#held = [];
  }

  freeze(): void {
    if (this.#state === "running") this.#state = "frozen";
  }

  /** Goes on, as if nothing had been, with all that has come meanwhile. */
  thaw(): void {
    if (this.#state !== "frozen") return;
    this.#state = "running";
    const held = this.#held;
    this.#held = [];
    // An event loop looks at its timers first or at its sockets first, depending on where it was stopped.
    const first = this.#chance.hit(0.5) ? "timer" : "io";
    const sorted = [
      ...held.filter(({ kind }) => kind === first),
      ...held.filter(({ kind }) => kind !== first),
    ];
    for (const { kind, task } of sorted) this.#scheduler.at(0, () => this.enter(kind, task));
  }

  /** Sets the wall clock forward or back. */
  skew(byMs: number): void {
    this.#skewMs += byMs;
  }

  #after(delayMs: number, task: () => void): Cancel {
    let cancelled = false;
    const lateMs = this.#chance.hit(0.01)
      ? this.#chance.between(0, 40)
      : this.#chance.between(0, 1);
    this.#scheduler.at(delayMs + lateMs, () =>
      this.enter("timer", () => {
        if (!cancelled) task();
      }),
    );
    return () => {
      cancelled = true;
    };
  }
}
