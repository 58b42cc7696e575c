import type { ConfirmChannel, Message as ReturnedMessage } from "amqplib";
import type { Batch } from "./batch.ts";
import { Numbered } from "./numbered.ts";
import type { Posting } from "./posting.ts";
import { type Wire, wireOn } from "./wire.ts";

/** A message on its way, and who waits for it. */
export interface Entry {
  readonly posting: Posting;
  readonly batch: Batch;
  readonly index: number;
  bodyBytes: number;
  returned: boolean;
}

export interface LaneOptions {
  readonly user: string;
  /** Some messages have got their answer; `refused` when the broker did not take one. */
  readonly progress: (news: { readonly refused: boolean }) => void;
}

const taken = { refused: false };
const refused = { refused: true };

/** A confirm channel, and the messages on it that are not confirmed yet. */
export class Lane {
  readonly channel: ConfirmChannel;
  readonly #options: LaneOptions;
  readonly #wire: Wire;
  readonly #inFlight = new Numbered<Entry>();
  #sent = 0;
  #bytes = 0;

  constructor(channel: ConfirmChannel, options: LaneOptions) {
    this.channel = channel;
    this.#options = options;
    this.#wire = wireOn(channel, { user: options.user, listener: this });
    channel.on("return", (message) => this.#returned(message));
    channel.on("close", () => this.giveUp());
  }

  /** How many messages are not confirmed, and how many bytes their bodies have. */
  get size(): number {
    return this.#inFlight.size;
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** Goes out with the next `flush()`. */
  send(entry: Entry): void {
    const number = this.#sent + 1;
    try {
      entry.bodyBytes = this.#wire.send(entry.posting, number);
    } catch {
      // There is no room for it in AMQP, or the channel is on its way down and tells so next.
      return entry.batch.settle(entry.index, "failed");
    }
    this.#sent = number;
    this.#bytes += entry.bodyBytes;
    this.#inFlight.add(number, entry);
  }

  flush(): void {
    this.#wire.flush();
  }

  answered(number: number, confirmation: "confirmed" | "failed"): void {
    this.#settle(number, confirmation);
    this.#options.progress(confirmation === "failed" ? refused : taken);
  }

  answeredUpTo(number: number, confirmation: "confirmed" | "failed"): void {
    const last = Math.min(number, this.#sent);
    for (let next = this.#inFlight.first; next <= last; next = this.#inFlight.first) {
      this.#settle(next, confirmation);
    }
    this.#options.progress(confirmation === "failed" ? refused : taken);
  }

  /** Everything that is not confirmed is `failed`. */
  giveUp(): void {
    const lost = [...this.#inFlight];
    this.#inFlight.clear();
    this.#bytes = 0;
    for (const { batch, index } of lost) batch.settle(index, "failed");
  }

  #settle(number: number, confirmation: "confirmed" | "failed"): void {
    const entry = this.#inFlight.take(number);
    if (entry === undefined) return;
    this.#bytes -= entry.bodyBytes;
    const positive = entry.returned ? "returned" : "confirmed";
    entry.batch.settle(entry.index, confirmation === "failed" ? "failed" : positive);
  }

  /** A return comes before its confirm, and names no number: it is of the first message that looks the same. */
  #returned({ fields, properties }: ReturnedMessage): void {
    for (const entry of this.#inFlight) {
      const { exchange, routingKey, message } = entry.posting;
      const same =
        routingKey === fields.routingKey &&
        exchange === fields.exchange &&
        message.id === properties.messageId &&
        message.correlationId === properties.correlationId;
      if (!same || entry.returned) continue;
      entry.returned = true;
      return;
    }
  }
}
