import type { Chance } from "./chance.ts";

/** What becomes of one command to the store. */
export type CommandFate =
  | "done"
  /** It never reaches the store. */
  | "lost"
  /** It is done, but nobody learns so. */
  | "unanswered"
  /** Its failure is reported first, and then it is done all the same. */
  | "ghost"
  /** It is done, late. */
  | "slow";

/** What becomes of one publish. */
export type PublishFate =
  | "done"
  /** Only its first messages arrive, and only the first of those are confirmed. */
  | "cut"
  /** The same, and the connection breaks. */
  | "severed"
  /** One of its messages arrives once more, later. */
  | "doubled"
  /** Its failure is reported first, and then it arrives all the same. */
  | "ghost"
  /** It arrives late, and so does all that is sent after it. */
  | "slow"
  /** One of its messages is not taken, nor what follows it to the same queue. */
  | "nacked"
  /** All of it arrives, and the confirmation of one message gets lost. */
  | "unconfirmed"
  /** One of its messages finds no queue, nor does what follows it there. */
  | "returned";

/** Names the faults that were injected, and how often. */
export type FaultCounts = Record<string, number>;

/** Decides, from the seed, what goes wrong; once `calm`, nothing does but what the contracts allow at any time. */
export class Faults {
  readonly counts: FaultCounts = {};
  readonly #chance: Chance;
  readonly #severity: number;
  #calm = true;

  constructor(chance: Chance) {
    this.#chance = chance;
    // From nearly quiet to a storm: a system that is hit all the time gets nowhere, and shows little.
    this.#severity = chance.pick([0.3, 1, 1, 2, 4]);
  }

  get isCalm(): boolean {
    return this.#calm;
  }

  begin(): void {
    this.#calm = false;
  }

  end(): void {
    this.#calm = true;
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  command(): CommandFate {
    return this.#one<CommandFate>("store", [
      ["lost", 0.008],
      ["unanswered", 0.012],
      ["ghost", 0.008],
      ["slow", 0.02],
    ]);
  }

  publish(): PublishFate {
    return this.#one<PublishFate>("broker", [
      ["cut", 0.02],
      ["severed", 0.004],
      ["doubled", 0.03],
      ["nacked", 0.01],
      ["unconfirmed", 0.01],
      ["returned", 0.004],
      ["ghost", 0.008],
      ["slow", 0.02],
    ]);
  }

  /** A wake-up may be lost at any time. */
  loseHint(): boolean {
    if (!this.#chance.hit(0.2)) return false;
    this.count("hint lost");
    return true;
  }

  #one<Fate extends string>(
    where: string,
    odds: readonly (readonly [Fate, number])[],
  ): Fate | "done" {
    if (this.#calm) return "done";
    for (const [fate, probability] of odds) {
      if (!this.#chance.hit(probability * this.#severity)) continue;
      this.count(`${where} ${fate}`);
      return fate;
    }
    return "done";
  }
}
