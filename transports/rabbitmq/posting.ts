import type { Message } from "../../src/message.ts";

/** A message and where it goes, in the broker's own names. */
export interface Posting {
  readonly exchange: string;
  readonly routingKey: string;
  /** A message without a queue comes back. */
  readonly mandatory: boolean;
  readonly message: Message;
}
