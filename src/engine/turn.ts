import type { Clock } from "../clock.ts";

/** Gathers what comes in one turn of the event loop, and hands it over together at its end, in order. */
export class Turn<Item> {
  readonly #clock: Clock;
  readonly #handOver: (items: readonly Item[]) => void;
  #items: Item[] = [];

  constructor(clock: Clock, handOver: (items: readonly Item[]) => void) {
    this.#clock = clock;
    this.#handOver = handOver;
  }

  add(item: Item): void {
    this.#items.push(item);
    if (this.#items.length > 1) return;
    this.#clock.soon(() => {
      const items = this.#items;
      this.#items = [];
      this.#handOver(items);
    });
  }
}
