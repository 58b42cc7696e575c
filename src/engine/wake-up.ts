import type { Cancel, Clock } from "../clock.ts";
import type { Transport } from "../transport.ts";
import type { StoreClock } from "./store-clock.ts";
import { wire } from "./wire.ts";

export interface WakeUpOptions {
  readonly clock: Clock;
  readonly storeClock: StoreClock;
  readonly transport: Transport;
  /** The partition's own queue. */
  readonly queue: string;
  /** Called when a timer of the partition may be due. */
  readonly wake: () => void;
}

/**
 * Shorter waits are measured here; the broker's delay queues carry the rest. With 15 ms, 1,000 timers a second cost
 * a wake-up through two or three delay queues each: 1.8 ms of CPU, 0.8 of it the broker's.
 */
const localMs = 1_000;
/**
 * Partitions wake at multiples of this only. Timers that fall due meanwhile are fired together, and those of all
 * partitions of a process at once: one flush of the store's log and one of the broker's carry them all.
 */
const tickMs = 20;
/** Wake-ups closer together than this are one. */
const slotMs = 10;
/** Timers beyond this get no wake-up yet: leases that nobody has taken are due at the end of time. */
const farMs = 3_600_000;

/**
 * Wakes a partition when its next timer is due. One wake-up is under way at a time, for the earliest timer, so
 * that their number does not grow with the number of timers. It is a hint: the partition looks into the store
 * at each one, and once a second without any.
 */
export class WakeUp {
  readonly #options: WakeUpOptions;
  #armedFor = Infinity;
  /** What the wake-up that is under way at the broker is for. */
  #sentFor = Infinity;
  #cancel: Cancel | undefined;

  constructor(options: WakeUpOptions) {
    this.#options = options;
  }

  /** Sees to it that the partition wakes at `due` (milliseconds, store's clock), or before. */
  arm(due: number): void {
    if (due >= this.#armedFor) return;
    const waitMs = due - this.#options.storeClock.earliest();
    // What is far off is found by looking into the store until then.
    if (waitMs > farMs) return;
    this.#armedFor = due;
    if (waitMs <= localMs) return this.#wait(waitMs);
    // After a look into the store the same one is armed again, while its wake-up is still under way.
    if (due === this.#sentFor) return;
    this.#sentFor = due;
    void this.#options.transport.publish([
      {
        exchange: "",
        routingKey: this.#options.queue,
        delayMs: Math.max(1, Math.floor((waitMs - localMs) / slotMs) * slotMs),
        message: { type: wire.wake, body: JSON.stringify({ due }) },
      },
    ]);
  }

  /** The delay queue has delivered a wake-up for `due`; of no interest when another one is armed by now. */
  arrived(due: number): void {
    if (due === this.#sentFor) this.#sentFor = Infinity;
    if (due !== this.#armedFor) return;
    this.#wait(due - this.#options.storeClock.earliest());
  }

  /** The store has been asked; the next wake-up is armed anew. */
  reset(): void {
    this.#armedFor = Infinity;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(waitMs: number): void {
    const { clock, wake } = this.#options;
    const now = clock.monotonic();
    const tick = Math.ceil((now + Math.max(0, waitMs)) / tickMs) * tickMs;
    this.#cancel?.();
    this.#cancel = clock.after(tick - now, wake);
  }
}
