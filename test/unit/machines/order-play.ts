import { createActor, SimulatedClock } from "xstate";
import { generatedProducts } from "../../../machines/order-to-shipment/generate.ts";
import { orderMachine } from "../../../machines/order-to-shipment/machine.ts";
import {
  type OrderEmitted,
  type OrderEvent,
  orderMessages,
} from "../../../machines/order-to-shipment/messages.ts";
import type { Order, Product } from "../../../machines/order-to-shipment/order.ts";
import type { Service } from "../../../machines/order-to-shipment/services/service.ts";
import { shopServices } from "../../../machines/order-to-shipment/services/shop.ts";
import { isSchema, validate } from "../../../src/schema.ts";

/** A small order that ends as delivered unless something is changed. */
export const plainOrder: Order = {
  orderId: "1",
  customerId: "C001",
  orderDate: "2026-01-01",
  requiredDate: "2026-01-29",
  shippedDate: "2026-01-05",
  shipVia: 2,
  freight: 4.5,
  shipCountry: "Peru",
  items: [{ productId: 1, quantity: 2, unitPrice: 12.5, discount: 0 }],
  amount: 25,
};

export interface PlayOptions {
  readonly products?: readonly Product[];
  /** False for a request that the services never get. */
  readonly reaches?: (request: OrderEmitted, attempt: number) => boolean;
  /** What to do with an event instead of sending it on. */
  readonly instead?: (event: OrderEvent) => readonly OrderEvent[];
}

/** One order played by XState's own actor against the real services, on a clock that the test moves. */
export class OrderPlay {
  readonly said: OrderEmitted[] = [];
  readonly clock = new SimulatedClock();
  readonly #services: readonly Service[];
  readonly #options: PlayOptions;
  readonly #actor;
  #waiting: OrderEvent[] = [];

  constructor(order: Order, options: PlayOptions = {}) {
    this.#options = options;
    this.#services = shopServices(options.products ?? generatedProducts);
    this.#actor = createActor(orderMachine, { input: order, clock: this.clock });
    this.#actor.on("*", (emitted) => this.#hear(emitted));
    this.#actor.start();
  }

  get snapshot() {
    return this.#actor.getSnapshot();
  }

  get types(): readonly string[] {
    return this.said.map(({ type }) => type);
  }

  /** Sends an event and whatever follows from it, but lets no time pass. */
  async send(event: OrderEvent): Promise<void> {
    this.#actor.send(event);
    await this.settle();
  }

  /** Hands all answers over until nothing moves, but lets no time pass. */
  async settle(): Promise<void> {
    for (let idle = 0; idle < 3; idle += 1) {
      for (const event of this.#waiting.splice(0)) {
        this.#actor.send(event);
        idle = 0;
      }
      // An activity answers in a later turn.
      await new Promise(setImmediate);
    }
  }

  /** Stops handing answers over as soon as the machine is in this state. */
  async until(state: string): Promise<void> {
    for (let turn = 0; turn < 100 && !this.in(state); turn += 1) {
      const event = this.#waiting.shift();
      if (event === undefined) await new Promise(setImmediate);
      else this.#actor.send(event);
    }
  }

  in(state: string): boolean {
    const [region = "", inner] = state.split(".");
    const { value } = this.snapshot;
    if (typeof value === "string") return value === region;
    const found: unknown = Reflect.get(value, region);
    return found !== undefined && (inner === undefined || found === inner);
  }

  /** Plays to the end, letting time pass whenever nothing else can happen. */
  async finish(): Promise<void> {
    for (let step = 0; step < 200; step += 1) {
      await this.settle();
      if (this.snapshot.status !== "active") return;
      this.clock.increment(60_000 * 2 ** Math.min(step, 12));
    }
  }

  #hear(emitted: OrderEmitted): void {
    this.said.push(emitted);
    const { type, ...payload } = emitted;
    if (!isValid(orderMessages.emits, emitted))
      throw new Error(`Against its schema: ${JSON.stringify(emitted)}`);
    const attempt = this.types.filter((said) => said === type).length;
    if (this.#options.reaches?.(emitted, attempt) === false) return;
    const service = this.#services.find(({ patterns }) => patterns.includes(type));
    const request = {
      id: `m${this.said.length}`,
      type,
      body: JSON.stringify(payload),
      replyTo: "p",
    };
    for (const { message } of service?.handle(request) ?? []) {
      const event: unknown = { type: message.type, ...JSON.parse(message.body) };
      if (!isOrderEvent(event)) throw new Error(`Against its schema: ${JSON.stringify(event)}`);
      this.#waiting.push(...(this.#options.instead?.(event) ?? [event]));
    }
  }
}

function isOrderEvent(event: unknown): event is OrderEvent {
  return isValid(orderMessages.events, event);
}

function isValid(definitions: object, message: unknown): boolean {
  if (typeof message !== "object" || message === null) return false;
  const definition: unknown = Reflect.get(definitions, String(Reflect.get(message, "type")));
  if (typeof definition !== "object" || definition === null) return false;
  const schema: unknown = isSchema(definition) ? definition : Reflect.get(definition, "schema");
  return isSchema(schema) && validate(schema, message).ok;
}
