import type { Cancel, Clock } from "../../clock.ts";
import type { Observer } from "../../observer.ts";

const probeMs = 500;
const windowMs = 15_000;

export interface LoopLagOptions {
  readonly clock: Clock;
  readonly observer: Observer;
  /** A delay that is told of. */
  readonly blockedMs: number;
}

/** Measures how late timers of this process come: nothing else can run for so long either. */
export class LoopLag {
  readonly #options: LoopLagOptions;
  #cancel: Cancel | undefined;
  #worst = 0;
  #worstBefore = 0;
  #windowEnd = 0;
  #blocked: { readonly durationMs: number; readonly at: number } | undefined;

  constructor(options: LoopLagOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock } = this.#options;
    const due = clock.monotonic() + probeMs;
    this.#cancel = clock.after(probeMs, () => {
      this.#note(clock.monotonic() - due);
      this.start();
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  /** The longest delay of the last 15 to 30 seconds, in milliseconds. */
  get lagMs(): number {
    return Math.max(0, this.#worst, this.#worstBefore);
  }

  /** The last delay beyond the limit, and how long ago that was. */
  get blocked(): { readonly durationMs: number; readonly agoMs: number } | undefined {
    if (this.#blocked === undefined) return undefined;
    const { durationMs, at } = this.#blocked;
    return { durationMs, agoMs: this.#options.clock.monotonic() - at };
  }

  #note(lateMs: number): void {
    const { clock, observer, blockedMs } = this.#options;
    const now = clock.monotonic();
    if (now >= this.#windowEnd) {
      this.#worstBefore = this.#worst;
      this.#worst = 0;
      this.#windowEnd = now + windowMs;
    }
    this.#worst = Math.max(this.#worst, lateMs);
    if (lateMs < blockedMs) return;
    const durationMs = Math.round(lateMs);
    this.#blocked = { durationMs, at: now };
    const message = `Nothing else could run in this process for ${durationMs} ms: code of a machine or an activity computes too long, or the process was frozen.`;
    observer.observe({ kind: "loop-blocked", durationMs, message });
  }
}
