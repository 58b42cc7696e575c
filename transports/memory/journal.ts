import type { Message } from "../../src/message.ts";
import type { Topology } from "../../src/transport.ts";

/** One copy of a message in one queue, as a journal keeps it. */
export interface JournalEntry {
  /** Rises with each copy the broker takes, and so gives the order within a queue. */
  readonly id: number;
  readonly queue: string;
  readonly message: Message;
  /** When a delayed copy may enter its queue, in milliseconds since the Unix epoch by the wall clock. */
  readonly dueAt: number | undefined;
  /** How often it was handed to a consumer. */
  readonly handedOut: number;
}

/** Where a broker writes down what it must still know after the process was killed. */
export interface Journal {
  /** Every queue and binding that was declared, in that order. */
  topology(): Topology;
  /** Resolves when these queues and bindings are durable; what is there already is left alone. */
  declare(topology: Topology): Promise<void>;
  /** Every copy that was appended and not removed, in order of `id`. */
  load(): readonly JournalEntry[];
  /** Resolves when all of these are durable, in the order of the calls; rejects when none of them is. */
  append(entries: readonly JournalEntry[]): Promise<void>;
  /** Says that these are about to be handed to a consumer once more. */
  handOut(ids: readonly number[]): void;
  /** Says that these were acknowledged. */
  remove(ids: readonly number[]): void;
}
