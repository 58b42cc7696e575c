import type { ChannelModel, ConfirmChannel, Message as ReturnedMessage } from "amqplib";
import type { Clock } from "../../src/clock.ts";
import type { Message } from "../../src/message.ts";
import type { Confirmation } from "../../src/transport.ts";
import { Batch } from "./batch.ts";
import { closeChannel } from "./channels.ts";
import { fitsAmqp, propertiesOf } from "./envelope.ts";
import type { RabbitMqLimits } from "./options.ts";
import { textOf } from "./refusals.ts";

/** A message and where it goes, in the broker's own names. */
export interface Posting {
  readonly exchange: string;
  readonly routingKey: string;
  /** A message without a queue comes back. */
  readonly mandatory: boolean;
  readonly message: Message;
}

interface Entry {
  readonly posting: Posting;
  readonly content: Buffer;
  readonly batch: Batch;
  readonly index: number;
  returned: boolean;
}

export interface PublisherOptions {
  readonly user: string;
  readonly clock: Clock;
  readonly limits: RabbitMqLimits;
  /** The channel has ended while its connection goes on. */
  readonly broken: (reason: string) => void;
}

const compactAbove = 1_024;
/** A full queue refuses for a good reason, and may do so for long. */
const renewEveryMs = 1_000;

/** Publishes in order on one confirm channel, with a bounded number of messages that are not confirmed yet. */
export class Publisher {
  readonly #options: PublisherOptions;
  #connection: ChannelModel | undefined;
  #channel: ConfirmChannel | undefined;
  #blocked = false;
  /** The broker has refused something: nothing more is sent on this channel. */
  #worn = false;
  #renewedAt = -Infinity;
  /** From `#head` on: taking off the front of a long array for each confirm would copy it each time. */
  #waiting: Entry[] = [];
  #head = 0;
  readonly #inFlight = new Set<Entry>();
  #bytesInFlight = 0;
  #idle: (() => void)[] = [];

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Goes over to a channel of this connection. */
  async attach(connection: ChannelModel): Promise<void> {
    this.#connection = connection;
    const channel = await connection.createConfirmChannel();
    if (this.#connection !== connection) return closeChannel(channel);
    let failure: string | undefined;
    channel.on("error", (error) => {
      failure = textOf(error);
    });
    channel.on("handler-error", () => undefined);
    channel.on("return", (message) => this.#returned(message));
    channel.on("close", () => {
      if (this.#channel !== channel) return;
      this.detach();
      this.#options.broken(failure ?? "the channel for publishing was closed");
    });
    this.#blocked = false;
    this.#worn = false;
    this.#channel = channel;
  }

  /** Everything that is not confirmed is `failed`, as is all that comes until there is a channel again. */
  detach(): void {
    this.#connection = undefined;
    this.#channel = undefined;
    const lost = [...this.#inFlight, ...this.#waiting.slice(this.#head)];
    this.#inFlight.clear();
    this.#waiting = [];
    this.#head = 0;
    this.#bytesInFlight = 0;
    for (const { batch, index } of lost) batch.settle(index, "failed");
    this.#tellIdle();
  }

  /** While blocked nothing is sent: it would lie in the socket, and be published long after it was given up. */
  block(blocked: boolean): void {
    this.#blocked = blocked;
  }

  /** Answers one confirmation a posting, within the deadline; never rejects. */
  publish(postings: readonly Posting[]): Promise<readonly Confirmation[]> {
    if (postings.length === 0) return Promise.resolve([]);
    if (this.#channel === undefined || this.#blocked) {
      return Promise.resolve(postings.map(() => "failed"));
    }
    const { clock, limits } = this.#options;
    return new Promise((resolve) => {
      const batch = new Batch(postings.length, resolve);
      const cancel = clock.after(limits.confirmDeadlineMs, () => batch.giveUp());
      batch.whenDone(cancel);
      for (const [index, posting] of postings.entries()) this.#enqueue(posting, batch, index);
      this.#pump();
    });
  }

  /** Resolves when nothing waits for a confirm any more. */
  idle(): Promise<void> {
    if (this.#inFlight.size + this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  #enqueue(posting: Posting, batch: Batch, index: number): void {
    // No queue can have such a name, and no broker could be told such a field.
    if (!fitsAmqp(posting.routingKey, posting.message)) return batch.settle(index, "returned");
    const content = Buffer.from(posting.message.body);
    this.#waiting.push({ posting, content, batch, index, returned: false });
  }

  #pump(): void {
    const { windowMessages, windowBytes } = this.#options.limits;
    while (this.#channel !== undefined && !this.#worn && this.#head < this.#waiting.length) {
      const full = this.#inFlight.size >= windowMessages || this.#bytesInFlight >= windowBytes;
      if (full) return this.#compact();
      const entry = this.#waiting[this.#head] as Entry;
      this.#head += 1;
      if (!entry.batch.done) this.#send(this.#channel, entry);
    }
    if (this.#head < this.#waiting.length) return;
    this.#waiting = [];
    this.#head = 0;
  }

  #compact(): void {
    if (this.#head < compactAbove || this.#head * 2 < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
  }

  #send(channel: ConfirmChannel, entry: Entry): void {
    const { posting, content, batch, index } = entry;
    const { exchange, routingKey, mandatory, message } = posting;
    const properties = { ...propertiesOf(message, this.#options.user), mandatory };
    this.#inFlight.add(entry);
    this.#bytesInFlight += content.length;
    try {
      channel.publish(exchange, routingKey, content, properties, (error: unknown) =>
        this.#answered(entry, error),
      );
    } catch {
      // The channel is on its way down and tells so next.
      this.#inFlight.delete(entry);
      this.#bytesInFlight -= content.length;
      batch.settle(index, "failed");
    }
  }

  #answered(entry: Entry, error: unknown): void {
    if (!this.#inFlight.delete(entry)) return;
    this.#bytesInFlight -= entry.content.length;
    const positive = entry.returned ? "returned" : "confirmed";
    entry.batch.settle(entry.index, error === null ? positive : "failed");
    if (error !== null) this.#wear();
    if (this.#worn && this.#inFlight.size === 0) void this.#renew();
    else if (this.#waiting.length > 0) this.#pump();
    else if (this.#inFlight.size === 0) this.#tellIdle();
  }

  #wear(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#renewedAt < renewEveryMs) return;
    this.#renewedAt = now;
    this.#worn = true;
  }

  /**
   * Goes over to a new channel, once all is answered, as messages must not overtake each other. A channel of RabbitMQ
   * 3.10 whose first message for a queue found the queue's leader just dead refuses all that follow for that queue
   * until the dead node is back; a new channel asks who leads it now.
   */
  async #renew(): Promise<void> {
    const worn = this.#channel;
    const connection = this.#connection;
    if (worn === undefined || connection === undefined) return;
    try {
      await this.attach(connection);
    } catch (error) {
      if (this.#channel !== worn) return;
      this.detach();
      return this.#options.broken(textOf(error));
    }
    void closeChannel(worn);
    this.#pump();
    if (this.#inFlight.size === 0) this.#tellIdle();
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

  #tellIdle(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const tell of idle) tell();
  }
}
