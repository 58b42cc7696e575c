import { instanceHeader } from "../message.ts";
import { partitionOf } from "../routing.ts";
import type { Binding, Consumer, Delivery, Outgoing } from "../transport.ts";
import { findKey, parseObject } from "./decode.ts";
import { type EnginePorts, textOf } from "./ports.ts";
import { outsiderHeader } from "./wire.ts";

const window = 256;
const retryMs = 200;

/** One consumer and what it has delivered; when it ends, all of that is the next one's. */
interface Session {
  consumer: Consumer | undefined;
  waiting: Delivery[];
  forwarding: boolean;
}

/**
 * Finds the instance of each event that other services publish, and forwards it to its partition. The queue has
 * a single active consumer, and a batch is re-sent from its first message that was not confirmed, so that the
 * order of a sender is kept.
 */
export class Ingress {
  readonly #ports: EnginePorts;
  #session: Session | undefined;
  #stopped = false;

  constructor(ports: EnginePorts) {
    this.#ports = ports;
  }

  async start(): Promise<void> {
    if (this.#stopped) return;
    const { transport, names } = this.#ports;
    const session: Session = { consumer: undefined, waiting: [], forwarding: false };
    this.#session = session;
    const consumer = await transport.consume({
      queue: names.ingress,
      prefetch: window * 2,
      deliver: (delivery) => {
        this.#ports.fail?.("ingress-delivered");
        session.waiting.push(delivery);
        this.#forward(session);
      },
      lost: (reason) => this.#restart(session, reason),
    });
    if (!this.#isPresent(session)) return consumer.close();
    // Deliveries may have come before this answer.
    session.consumer = consumer;
    this.#forward(session);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#session?.consumer?.close();
  }

  #isPresent(session: Session): boolean {
    return this.#session === session && !this.#stopped;
  }

  #restart(session: Session, reason: string): void {
    if (!this.#isPresent(session)) return;
    this.#session = undefined;
    this.#startLater(reason);
  }

  #startLater(reason: string): void {
    const message = `the ingress consumer ended: ${reason}`;
    this.#ports.observer.observe({ kind: "trouble", where: "transport", message });
    this.#ports.clock.after(retryMs, () => {
      this.start().catch((error: unknown) => this.#startLater(textOf(error)));
    });
  }

  #forward(session: Session): void {
    const { consumer, waiting, forwarding } = session;
    if (consumer === undefined || forwarding || waiting.length === 0) return;
    if (!this.#isPresent(session)) return;
    session.forwarding = true;
    this.#ports.clock.soon(() => void this.#forwardBatch(session, consumer));
  }

  async #forwardBatch(session: Session, consumer: Consumer): Promise<void> {
    const batch = session.waiting.slice(0, window);
    const outcome = await this.#ports.transport.publish(batch.map((one) => this.#addressed(one)));
    const { fail } = this.#ports;
    fail?.("ingress-forwarded");
    session.forwarding = false;
    if (!this.#isPresent(session)) return;
    const stop = outcome.findIndex((one) => one !== "confirmed");
    const done = stop < 0 ? batch : batch.slice(0, stop);
    consumer.ack(done);
    fail?.("ingress-acknowledged");
    session.waiting = session.waiting.slice(done.length);
    if (stop < 0) return this.#forward(session);
    this.#ports.clock.after(retryMs, () => this.#forward(session));
  }

  /** An event that names no instance goes to the partition that its id hashes to, and is set aside there. */
  #addressed({ message }: Delivery): Outgoing {
    const { registry, names, partitions } = this.#ports;
    const key = findKey(message, parseObject(message.body), registry);
    const partition = partitionOf(key ?? message.id ?? "", partitions);
    const { userId: _, headers, ...rest } = message;
    const named = key === undefined ? headers : { ...headers, [instanceHeader]: key };
    // It goes on under our own name, and must not be trusted for that.
    const marked = { ...named, [outsiderHeader]: "1" };
    return {
      exchange: "",
      routingKey: names.partition(partition),
      message: { ...rest, headers: marked },
    };
  }
}

/** What the ingress has to be bound to: every type that can be correlated or starts something. */
export function ingressBindings({
  registry,
  names,
}: Pick<EnginePorts, "registry" | "names">): readonly Binding[] {
  const types = new Set<string>();
  for (const { workflow } of registry.all()) {
    for (const type of workflow.startedBy) types.add(type);
    for (const type of workflow.events.keys()) types.add(type);
  }
  return [...types].map((pattern) => ({ queue: names.ingress, exchange: "inbound", pattern }));
}
