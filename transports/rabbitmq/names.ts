import type { Exchange } from "../../src/transport.ts";

/** The exchanges and queues that the transport makes for itself; all begin with the application's prefix. */
export interface Names {
  /** The broker's name of an exchange; the default exchange has none. */
  exchange(exchange: Exchange): string;
  /** Exchange and queue for what no queue wanted: unrouted events, and delayed messages without a target. */
  readonly unrouted: string;
  /** Exchange that delayed messages leave their delay queue through. */
  readonly due: string;
  /** Queue of delayed messages that have left their delay queue, for the processes of one user. */
  readonly delayed: string;
  /** Exchange and queue that hold messages for so many milliseconds. */
  delay(bucketMs: number): string;
}

export function namesFor(prefix: string, user: string): Names {
  // Asked for each message, so not put together for each.
  const exchanges: Readonly<Record<Exchange, string>> = {
    "": "",
    events: `${prefix}.events`,
    inbound: `${prefix}.inbound`,
    changes: `${prefix}.changes`,
  };
  return {
    exchange: (exchange) => exchanges[exchange],
    unrouted: `${prefix}.unrouted`,
    due: `${prefix}.due`,
    delayed: `${prefix}.delayed.${user}`,
    delay: (bucketMs) => `${prefix}.delay.${bucketMs}`,
  };
}
