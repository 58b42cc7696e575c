import type { Confirmation } from "../../src/transport.ts";

/** The confirmations of one call, counted until there is one for each message. */
export class Batch {
  /** What has no answer by now is `failed`. */
  readonly #outcome: Confirmation[];
  readonly #resolve: (outcome: readonly Confirmation[]) => void;
  #left: number;
  #whenDone: (() => void) | undefined;

  constructor(size: number, resolve: (outcome: readonly Confirmation[]) => void) {
    this.#outcome = Array.from<Confirmation>({ length: size }).fill("failed");
    this.#left = size;
    this.#resolve = resolve;
  }

  get done(): boolean {
    return this.#left === 0;
  }

  whenDone(tell: () => void): void {
    this.#whenDone = tell;
  }

  /** To be called once for each message. */
  settle(index: number, confirmation: Confirmation): void {
    if (this.done) return;
    this.#outcome[index] = confirmation;
    this.#left -= 1;
    if (this.#left === 0) this.#end();
  }

  giveUp(): void {
    if (this.done) return;
    this.#left = 0;
    this.#end();
  }

  #end(): void {
    this.#whenDone?.();
    this.#resolve(this.#outcome);
  }
}
