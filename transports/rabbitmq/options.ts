import type { ConnectionOptions } from "node:tls";
import type { Clock } from "../../src/clock.ts";
import type { Ids } from "../../src/ids.ts";

/** Where the broker is, and what to expect of it. */
export interface RabbitMqOptions {
  /** `amqp(s)://user:password@host:port/vhost`, several hosts separated by commas; they are tried in turn. */
  readonly url: string;
  /** First part of the name of every exchange and queue that the transport makes itself. */
  readonly prefix: string;
  readonly clock: Clock;
  /** Names connections, and gives the jitter of reconnecting. */
  readonly ids: Ids;
  /** Certificates and checks of `amqps:`, as `tls.connect` takes them. */
  readonly tls?: ConnectionOptions;
  readonly limits?: Partial<RabbitMqLimits>;
}

/** How long things may take and how much may be under way. */
export interface RabbitMqLimits {
  /** The broker and this process give each other up after about three of these without a sign of life. */
  readonly heartbeatSeconds: number;
  /** From the first packet to an open connection. */
  readonly connectDeadlineMs: number;
  /** For each question to the broker, such as making a queue. */
  readonly answerDeadlineMs: number;
  /** What is not confirmed in this time is `failed`. */
  readonly confirmDeadlineMs: number;
  /** How long `close()` waits for confirms and for the broker's good-bye. */
  readonly closeDeadlineMs: number;
  /** The pause after the first failed round over all hosts; it doubles with each one, up to the last. */
  readonly firstRetryMs: number;
  readonly lastRetryMs: number;
  /** Published and not confirmed: at most so many messages and, above one message, so many bytes. */
  readonly windowMessages: number;
  readonly windowBytes: number;
}

export const defaultLimits: RabbitMqLimits = {
  heartbeatSeconds: 5,
  connectDeadlineMs: 10_000,
  answerDeadlineMs: 10_000,
  confirmDeadlineMs: 10_000,
  closeDeadlineMs: 2_000,
  firstRetryMs: 100,
  // With 10 s, work stood still for 8 s after a broker that had restarted took connections again.
  lastRetryMs: 2_000,
  // Quorum queues on one connection: window 100 gives 18k messages/s, 1,000 gives 29k, 5,000 no more.
  windowMessages: 2_000,
  windowBytes: 8 * 1_024 * 1_024,
};
