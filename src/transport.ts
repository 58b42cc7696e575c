import type { Cancel } from "./clock.ts";
import type { Message } from "./message.ts";

/** The default exchange (`""`: the routing key names a queue) or one of the application's topic exchanges. */
export type Exchange = "" | "events" | "inbound" | "changes";

/** One message and where it goes, in the words of AMQP 0-9-1. */
export interface Outgoing {
  readonly exchange: Exchange;
  readonly routingKey: string;
  readonly message: Message;
  /** Held back by the broker for at least this many milliseconds; then it may come late, twice or never. */
  readonly delayMs?: number;
}

/** What became of a published message: safe in a queue, without any queue to go to, or unknown. */
export type Confirmation = "confirmed" | "returned" | "failed";

/**
 * A queue and how it is consumed. `partition` and `ingress` feed one consumer at a time, the one that came
 * first, and the next one when it goes; `work` shares its messages out; `reply` dies with its process.
 */
export interface Queue {
  readonly name: string;
  readonly kind: "partition" | "ingress" | "work" | "reply";
}

/** Copies to `queue` what reaches the topic exchange under a routing key that matches `pattern` (`*`, `#`). */
export interface Binding {
  readonly queue: string;
  readonly exchange: Exclude<Exchange, "">;
  readonly pattern: string;
}

/** What has to exist before messages flow. */
export interface Topology {
  readonly queues: readonly Queue[];
  readonly bindings: readonly Binding[];
}

/** A message on its way to one consumer, which owns it until it is acknowledged or the consumer closes. */
export interface Delivery {
  readonly message: Message;
  /** Rises with each delivery of one consumer. */
  readonly tag: number;
  /** How often it went out before this time and came back, even if its consumer closed before it arrived. */
  readonly redeliveries: number;
}

export interface ConsumeOptions {
  readonly queue: string;
  /** The most deliveries that are out and not acknowledged. */
  readonly prefetch: number;
  /** Takes each delivery in the order of the queue; it must not throw. */
  readonly deliver: (delivery: Delivery) => void;
  /** Tells once that the consumer ended without a `close()` of ours; its deliveries are no longer its own. */
  readonly lost: (reason: string) => void;
}

export interface Consumer {
  /** Removes these deliveries from the queue; of no effect, and no error, once the consumer has ended. */
  ack(deliveries: readonly Delivery[]): void;
  /** Ends the consumer; what it did not acknowledge returns to the head of the queue in the old order. */
  close(): Promise<void>;
}

/** Whether messages can be sent and received now, and if not, why. */
export interface TransportState {
  readonly status: "up" | "blocked" | "down";
  readonly reason?: string;
}

/** Carries messages between processes. `test/contracts/transport-contract.ts` has a test for each sentence. */
export interface Transport {
  /** The name that the broker stamps on what is published here as `userId`, whatever the message says. */
  readonly user: string;
  /** Connects, and goes on trying until it can or is closed. */
  open(): Promise<void>;
  /**
   * Makes the topology exist, again after each reconnect, and a queue that was deleted when it is next consumed or
   * measured; what exists already with the same kind is left alone.
   */
  declare(topology: Topology): Promise<void>;
  /**
   * Publishes in order and answers one confirmation a message, in the order given. It never rejects.
   * `confirmed` means that every queue it was routed to will keep it as long as the transport keeps anything.
   * A message without a queue is `returned`, but one to a topic exchange that nobody has bound is `confirmed`.
   */
  publish(batch: readonly Outgoing[]): Promise<readonly Confirmation[]>;
  /** Starts a consumer; rejects when the queue was never declared. */
  consume(options: ConsumeOptions): Promise<Consumer>;
  /** How many messages wait in a queue, without those that are out at consumers. */
  depth(queue: string): Promise<number>;
  state(): TransportState;
  /** Calls back at each change of `state()`. */
  watch(listener: (state: TransportState) => void): Cancel;
  /** Ends all consumers without losing what they held; closing twice does no harm. */
  close(): Promise<void>;
}
