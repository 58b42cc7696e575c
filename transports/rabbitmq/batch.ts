import type { Confirmation } from "../../src/transport.ts";

/** The confirmations of one call, counted until there is one for each message. */
export class Batch {
  readonly #outcome: (Confirmation | undefined)[];
  readonly #resolve: (outcome: readonly Confirmation[]) => void;
  #left: number;
  #whenDone: (() => void) | undefined;

  constructor(size: number, resolve: (outcome: readonly Confirmation[]) => void) {
    this.#outcome = Array.from({ length: size }, () => undefined);
    this.#left = size;
    this.#resolve = resolve;
  }

  get done(): boolean {
    return this.#left === 0;
  }

  whenDone(tell: () => void): void {
    this.#whenDone = tell;
  }

  settle(index: number, confirmation: Confirmation): void {
    if (this.done || this.#outcome[index] !== undefined) return;
    this.#outcome[index] = confirmation;
    this.#left -= 1;
    if (this.#left === 0) this.#end();
  }

  /** What has no answer by now is `failed`. */
  giveUp(): void {
    if (this.done) return;
    this.#left = 0;
    this.#end();
  }

  #end(): void {
    this.#whenDone?.();
    this.#resolve(this.#outcome.map((confirmation) => confirmation ?? "failed"));
  }
}
