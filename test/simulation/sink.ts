import { sleep } from "../../src/clock.ts";
import type { Consumer, Delivery, Outgoing } from "../../src/transport.ts";
import type { Host, World } from "./world.ts";

/** A service outside that takes all that is emitted, drops what it knows already, and answers questions. */
export class Sink {
  /** By message id: the bodies that came under it. */
  readonly received = new Map<string, Set<string>>();
  deliveries = 0;
  /** Answers that are still on their way. */
  answering = 0;
  readonly #world: World;
  readonly #host: Host;
  #consumer: Consumer | undefined;
  #waiting: Delivery[] = [];

  constructor(world: World, host: Host) {
    this.#world = world;
    this.#host = host;
  }

  async start(): Promise<void> {
    const { transport, process } = this.#host;
    const queue = "sink";
    try {
      await transport.declare({
        queues: [{ name: queue, kind: "work" }],
        bindings: [{ queue, exchange: "events", pattern: "#" }],
      });
      this.#waiting = [];
      this.#consumer = await transport.consume({
        queue,
        prefetch: 100,
        deliver: (delivery) => this.#take(delivery),
        lost: () => {
          this.#consumer = undefined;
          process.clock.after(100, () => void this.start());
        },
      });
      this.#consumer.ack(this.#waiting.splice(0));
    } catch {
      process.clock.after(100, () => void this.start());
    }
  }

  #take(delivery: Delivery): void {
    const { id = "", type, replyTo, body } = delivery.message;
    this.deliveries += 1;
    this.received.set(id, (this.received.get(id) ?? new Set()).add(body));
    this.#world.trace.say(this.#host.process.name, `gets ${id}`);
    if (this.#consumer === undefined) this.#waiting.push(delivery);
    else this.#consumer.ack([delivery]);
    if (type === "errand.asked" && replyTo !== undefined) void this.#answer(id, replyTo);
  }

  /** Answers as any AMQP client does, without our headers, type or message id. */
  async #answer(correlationId: string, replyTo: string): Promise<void> {
    const { transport, process } = this.#host;
    this.answering += 1;
    await sleep(process.clock, this.#world.chance.between(1, 900));
    const message = { correlationId, body: JSON.stringify({ words: "yes" }) };
    const outgoing: Outgoing = { exchange: "", routingKey: replyTo, message };
    for (;;) {
      const [confirmation] = await transport.publish([outgoing]);
      if (confirmation === "confirmed") break;
      await sleep(process.clock, 70);
    }
    this.answering -= 1;
  }
}
