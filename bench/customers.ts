import { setTimeout as sleep } from "node:timers/promises";
import { orderDone, orderPacked } from "./order.ts";

const silenceMs = 60_000;

/** How long one order took, in milliseconds by the customer's own clock. */
export interface Took {
  /** From sending its start to hearing that it waits for its signal: three activities lie between. */
  readonly toPacked: number;
  /** From sending its signal to hearing that it is done. */
  readonly toDone: number;
  /** From sending its start to hearing that it is done, with the signal's way there and back. */
  readonly whole: number;
}

/** Where orders are placed. */
export interface Shop {
  /** Sends the start of an order. */
  place(id: string): void;
  /** Sends its signal. */
  collect(id: string): void;
}

interface UnderWay {
  readonly startedAt: number;
  packedAt?: number;
}

/** Places orders, answers those that wait for their signal at once, and notes how long each took. */
export class Customers {
  readonly #shop: Shop;
  readonly #underWay = new Map<string, UnderWay>();
  #took: Took[] = [];
  #next = 0;
  #last = 0;
  #lastNews = performance.now();

  constructor(shop: Shop) {
    this.#shop = shop;
  }

  /** Runs so many orders from their start to their end, `inFlight` at a time. */
  async run(orders: number, inFlight: number): Promise<readonly Took[]> {
    this.#last = this.#next + orders;
    for (let count = 0; count < inFlight; count += 1) this.#place();
    return this.#ended();
  }

  /** Places orders at a steady rate, however many are under way. */
  async arrive(perSecond: number, seconds: number): Promise<readonly Took[]> {
    const began = performance.now();
    for (let index = 0; index < perSecond * seconds; index += 1) {
      const due = began + (index * 1_000) / perSecond;
      while (performance.now() < due) await sleep(Math.max(1, due - performance.now()));
      // One that ends makes no room for another one: the next comes when it is due.
      this.#last = this.#next + 1;
      this.#place();
    }
    return this.#ended();
  }

  /** Takes a message that an order has sent. */
  hear(type: string, id: string): void {
    const now = performance.now();
    this.#lastNews = now;
    const order = this.#underWay.get(id);
    if (order === undefined) return;
    if (type === orderPacked && order.packedAt === undefined) {
      order.packedAt = now;
      this.#shop.collect(id);
    }
    if (type !== orderDone) return;
    const { startedAt, packedAt = startedAt } = order;
    this.#took.push({
      toPacked: packedAt - startedAt,
      toDone: now - packedAt,
      whole: now - startedAt,
    });
    this.#underWay.delete(id);
    this.#place();
  }

  /** Waits for all that were placed, and hands over what was noted. */
  async #ended(): Promise<readonly Took[]> {
    while (this.#underWay.size > 0) {
      await sleep(10);
      if (performance.now() - this.#lastNews < silenceMs) continue;
      throw new Error(`${this.#underWay.size} orders never ended.`);
    }
    const took = this.#took;
    this.#took = [];
    return took;
  }

  #place(): void {
    if (this.#next >= this.#last) return;
    const id = `o${this.#next}`;
    this.#next += 1;
    this.#underWay.set(id, { startedAt: performance.now() });
    this.#shop.place(id);
  }
}
