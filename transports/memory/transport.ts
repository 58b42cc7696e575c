import type { Cancel } from "../../src/clock.ts";
import { WaybillError } from "../../src/errors.ts";
import type {
  Confirmation,
  ConsumeOptions,
  Consumer,
  Outgoing,
  Topology,
  Transport,
  TransportState,
} from "../../src/transport.ts";
import type { MemoryBroker } from "./broker.ts";

interface OpenConsumer {
  readonly consumer: Consumer;
  readonly lost: (reason: string) => void;
}

/** One connection to a broker that lives in this process. */
export class MemoryTransport implements Transport {
  readonly user: string;
  readonly #broker: MemoryBroker;
  readonly #consumers = new Set<OpenConsumer>();
  readonly #listeners = new Set<(state: TransportState) => void>();
  readonly #declared: Topology[] = [];
  #state: TransportState = { status: "down", reason: "not opened yet" };

  constructor(broker: MemoryBroker, options: { readonly user: string }) {
    this.#broker = broker;
    this.user = options.user;
  }

  async open(): Promise<void> {
    this.#become({ status: "up" });
  }

  async declare(topology: Topology): Promise<void> {
    this.#mustBeUp();
    await this.#broker.declare(topology);
    this.#declared.push(topology);
  }

  async publish(batch: readonly Outgoing[]): Promise<readonly Confirmation[]> {
    if (this.#state.status !== "up") return batch.map(() => "failed");
    const stamped = batch.map((outgoing) => ({
      ...outgoing,
      message: { ...outgoing.message, userId: this.user },
    }));
    return this.#broker.publish(stamped);
  }

  async consume(options: ConsumeOptions): Promise<Consumer> {
    this.#mustBeUp();
    const consumer = this.#broker.consume(options);
    const open: OpenConsumer = { consumer, lost: options.lost };
    this.#consumers.add(open);
    return {
      ack: (deliveries) => consumer.ack(deliveries),
      close: () => {
        this.#consumers.delete(open);
        return consumer.close();
      },
    };
  }

  async depth(queue: string): Promise<number> {
    this.#mustBeUp();
    return this.#broker.queue(queue).depth();
  }

  state(): TransportState {
    return this.#state;
  }

  watch(listener: (state: TransportState) => void): Cancel {
    const watcher = (state: TransportState): void => listener(state);
    this.#listeners.add(watcher);
    return () => this.#listeners.delete(watcher);
  }

  async close(): Promise<void> {
    await this.#disconnect();
    this.#become({ status: "down", reason: "closed" });
  }

  /** Breaks the connection as a fault would: consumers are lost and nothing gets through until `restore()`. */
  async sever(reason: string): Promise<void> {
    const lost = [...this.#consumers];
    await this.#disconnect();
    this.#become({ status: "down", reason });
    for (const consumer of lost) consumer.lost(reason);
  }

  /** Connects anew after `sever()` and declares again what was declared. */
  async restore(): Promise<void> {
    for (const topology of this.#declared) await this.#broker.declare(topology);
    this.#become({ status: "up" });
  }

  async #disconnect(): Promise<void> {
    const open = [...this.#consumers];
    this.#consumers.clear();
    await Promise.all(open.map(({ consumer }) => consumer.close()));
    for (const queue of this.#declared.flatMap((topology) => topology.queues)) {
      if (queue.kind === "reply") this.#broker.remove(queue.name);
    }
  }

  #become(state: TransportState): void {
    if (state.status === this.#state.status && state.reason === this.#state.reason) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  #mustBeUp(): void {
    if (this.#state.status === "up") return;
    throw new WaybillError({
      code: "unavailable",
      message: `The transport is not connected: ${this.#state.reason ?? "it is down"}.`,
      action: "Open the transport first, or try again when it is up.",
      retryable: true,
    });
  }
}
