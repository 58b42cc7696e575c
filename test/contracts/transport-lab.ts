import { vi } from "vitest";
import type { Message } from "../../src/message.ts";
import type {
  ConsumeOptions,
  Consumer,
  Delivery,
  Outgoing,
  Queue,
  Transport,
} from "../../src/transport.ts";

/** One broker for one test, and what the suite must be able to do to it. */
export interface TransportLab {
  /** Begins every queue name and routing key of the test, so that tests do not meet on a shared broker. */
  readonly prefix: string;
  /** A new transport to the same broker, not opened yet, as another process would have it. */
  connect(user: string): Transport;
  /** Breaks the connection of an open transport without its doing. */
  sever(transport: Transport): Promise<void>;
  /** Lets a severed transport connect again. */
  restore(transport: Transport): Promise<void>;
  /** Closes what the test left open and removes what it made. */
  dispose(): Promise<void>;
}

export type TransportFactory = () => Promise<TransportLab>;

/** Connects as a user and opens the transport. */
export async function opened(lab: TransportLab, user = "engine"): Promise<Transport> {
  const transport = lab.connect(user);
  await transport.open();
  return transport;
}

/** A consumer that keeps what it gets. */
export interface Collector {
  readonly consumer: Consumer;
  readonly deliveries: Delivery[];
  readonly losses: string[];
  /** The bodies in the order of arrival. */
  bodies(): string[];
}

/** Consumes and collects; `acking` acknowledges each delivery at once. */
export async function collect(
  transport: Transport,
  queue: string,
  options: { readonly prefetch?: number; readonly acking?: boolean } = {},
): Promise<Collector> {
  const deliveries: Delivery[] = [];
  const losses: string[] = [];
  let consumer: Consumer | undefined;
  const consume: ConsumeOptions = {
    queue,
    prefetch: options.prefetch ?? 100,
    deliver: (delivery) => {
      deliveries.push(delivery);
      if (options.acking) consumer?.ack([delivery]);
    },
    lost: (reason) => losses.push(reason),
  };
  consumer = await transport.consume(consume);
  if (options.acking) consumer.ack(deliveries);
  const bodies = (): string[] => deliveries.map(({ message }) => message.body);
  return { consumer, deliveries, losses, bodies };
}

/** Makes queues exist, without bindings. */
export function declareQueues(transport: Transport, ...queues: readonly Queue[]): Promise<void> {
  return transport.declare({ queues, bindings: [] });
}

/** Messages with these bodies for one queue. */
export function toQueue(queue: string, ...bodies: readonly string[]): Outgoing[] {
  return bodies.map((body) => ({ exchange: "", routingKey: queue, message: messageOf(body) }));
}

export function messageOf(body: string): Message {
  return { id: `id-${body}`, type: "thing.happened", body };
}

/** Passes as soon as `expectation` no longer throws, fails with its error after twenty seconds. */
export function eventually(expectation: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(expectation, { timeout: 20_000, interval: 3 });
}

/** Long enough for a wrong delivery to show up. */
export function quietWhile(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 40);
  });
}
