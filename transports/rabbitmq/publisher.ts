import type { ChannelModel } from "amqplib";
import type { Clock } from "../../src/clock.ts";
import type { Confirmation } from "../../src/transport.ts";
import { Batch } from "./batch.ts";
import { closeChannel } from "./channels.ts";
import { fitsAmqp } from "./envelope.ts";
import { type Entry, Lane } from "./lane.ts";
import type { RabbitMqLimits } from "./options.ts";
import type { Posting } from "./posting.ts";
import { textOf } from "./refusals.ts";

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
  #lane: Lane | undefined;
  #blocked = false;
  /** The broker has refused something: nothing more is sent on this channel. */
  #worn = false;
  #renewedAt = -Infinity;
  /** From `#head` on: taking off the front of a long array for each confirm would copy it each time. */
  #waiting: Entry[] = [];
  #head = 0;
  #pumping = false;
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
    channel.on("close", () => {
      if (this.#lane?.channel !== channel) return;
      this.detach();
      this.#options.broken(failure ?? "the channel for publishing was closed");
    });
    this.#blocked = false;
    this.#worn = false;
    this.#lane = new Lane(channel, {
      user: this.#options.user,
      progress: ({ refused }) => this.#answered(refused),
    });
  }

  /** Everything that is not confirmed is `failed`, as is all that comes until there is a channel again. */
  detach(): void {
    const lane = this.#lane;
    const lost = this.#waiting.slice(this.#head);
    this.#connection = undefined;
    this.#lane = undefined;
    this.#waiting = [];
    this.#head = 0;
    lane?.giveUp();
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
    if (this.#lane === undefined || this.#blocked) {
      return Promise.resolve(postings.map(() => "failed"));
    }
    const { clock, limits } = this.#options;
    return new Promise((resolve) => {
      const batch = new Batch(postings.length, resolve);
      const cancel = clock.after(limits.confirmDeadlineMs, () => batch.giveUp());
      batch.whenDone(cancel);
      let index = 0;
      for (const posting of postings) {
        this.#enqueue({ posting, batch, index, bodyBytes: 0, returned: false });
        index += 1;
      }
      this.#pumpSoon();
    });
  }

  /** Resolves when nothing waits for a confirm any more. */
  idle(): Promise<void> {
    if (!this.#isBusy()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  #enqueue(entry: Entry): void {
    const { posting, batch, index } = entry;
    // No queue can have such a name, and no broker could be told such a field.
    if (!fitsAmqp(posting.routingKey, posting.message)) return batch.settle(index, "returned");
    this.#waiting.push(entry);
  }

  #pump(): void {
    const lane = this.#lane;
    if (lane === undefined || this.#worn) return;
    this.#sendUpToWindow(lane);
    lane.flush();
    if (this.#head < this.#waiting.length) return this.#compact();
    if (this.#head === 0) return;
    this.#waiting = [];
    this.#head = 0;
  }

  #sendUpToWindow(lane: Lane): void {
    const { windowMessages, windowBytes } = this.#options.limits;
    while (this.#head < this.#waiting.length) {
      if (lane.size >= windowMessages || lane.bytes >= windowBytes) return;
      const entry = this.#waiting[this.#head] as Entry;
      this.#head += 1;
      if (!entry.batch.done) lane.send(entry);
    }
  }

  #compact(): void {
    if (this.#head < compactAbove || this.#head * 2 < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
  }

  #answered(refused: boolean): void {
    if (refused) this.#wear();
    this.#pumpSoon();
  }

  /**
   * Once a turn, after everything that this turn settles or publishes: what goes out together goes out in one buffer.
   * Nothing is later by that, as the client itself writes after the turn.
   */
  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    process.nextTick(() => {
      this.#pumping = false;
      this.#refill();
    });
  }

  #refill(): void {
    const lane = this.#lane;
    if (lane === undefined) return;
    if (this.#worn && lane.size === 0) return void this.#renew();
    this.#pump();
    this.#tellIfIdle();
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
    const worn = this.#lane;
    const connection = this.#connection;
    if (worn === undefined || connection === undefined) return;
    try {
      await this.attach(connection);
    } catch (error) {
      if (this.#lane !== worn) return;
      this.detach();
      return this.#options.broken(textOf(error));
    }
    void closeChannel(worn.channel);
    this.#pump();
    this.#tellIfIdle();
  }

  #isBusy(): boolean {
    return (this.#lane?.size ?? 0) + this.#waiting.length > 0;
  }

  #tellIfIdle(): void {
    if (!this.#isBusy()) this.#tellIdle();
  }

  #tellIdle(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const tell of idle) tell();
  }
}
