import { type Cancel, type Clock, sleep } from "../../src/clock.ts";
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
import { parseAddresses } from "./address.ts";
import type { Talk } from "./channels.ts";
import { startConsumer } from "./consumer.ts";
import { DelayQueues } from "./delay-queues.ts";
import { DelayRelay } from "./delay-relay.ts";
import { DelayedPublisher } from "./delayed-publisher.ts";
import type { Link } from "./link.ts";
import { LinkKeeper } from "./link-keeper.ts";
import { type Names, namesFor } from "./names.ts";
import { defaultLimits, type RabbitMqLimits, type RabbitMqOptions } from "./options.ts";
import type { Posting } from "./posting.ts";
import { Publisher } from "./publisher.ts";
import { unavailable } from "./refusals.ts";
import { StateBoard } from "./state-board.ts";
import { declareDelay, declareOwn, declareTopology, queueDepth } from "./topology.ts";
import { Wishes } from "./wishes.ts";

/**
 * Queues and exchanges of a RabbitMQ broker, 3.10 or later, over AMQP 0-9-1. It uses nothing that version 4 has removed:
 * quorum queues, exclusive reply queues, prefetch by consumer, and for delays quorum queues of a fixed time.
 * The broker checks the user that each message is stamped with: that of the URL.
 */
export class RabbitMqTransport implements Transport {
  readonly user: string;
  readonly #names: Names;
  readonly #clock: Clock;
  readonly #id: string;
  readonly #limits: RabbitMqLimits;
  readonly #keeper: LinkKeeper;
  readonly #publisher: Publisher;
  readonly #queues: DelayQueues;
  readonly #delayed: DelayedPublisher;
  readonly #board = new StateBoard();
  readonly #wishes = new Wishes();
  readonly #consumers = new Set<Consumer>();
  #relay: DelayRelay | undefined;

  /** @throws WaybillError `invalid-configuration` */
  constructor(options: RabbitMqOptions) {
    const { url, prefix, clock, ids, tls } = options;
    const addresses = parseAddresses(url);
    const limits = { ...defaultLimits, ...options.limits };
    this.user = addresses[0].username;
    this.#names = namesFor(prefix, this.user);
    this.#clock = clock;
    this.#id = ids.next();
    this.#limits = limits;
    const broken = (reason: string): void => void this.#mendPublisher(reason);
    this.#publisher = new Publisher({ user: this.user, clock, limits, broken });
    this.#queues = new DelayQueues({
      names: this.#names,
      clock,
      declare: (bucket) => this.#declareDelay(bucket),
    });
    this.#delayed = new DelayedPublisher({
      id: this.#id,
      clock,
      queues: this.#queues,
      deadlineMs: limits.confirmDeadlineMs,
      publish: (postings) => this.#publisher.publish(postings),
    });
    this.#keeper = new LinkKeeper({
      addresses,
      prefix,
      clock,
      ids,
      limits,
      ...(tls !== undefined && { tls }),
      prepare: (link) => this.#prepare(link),
      up: () => this.#board.show({ status: "up" }),
      down: (reason) => this.#down(reason),
      blocked: (reason) => this.#blocked(reason),
    });
  }

  /**
   * Connects, and goes on trying until it can or is closed.
   * @throws WaybillError `login-refused`, `vhost-refused`, `access-refused` or a mismatch, when no host is any better
   */
  open(): Promise<void> {
    return this.#keeper.open();
  }

  async declare(topology: Topology): Promise<void> {
    await declareTopology(this.#talk(this.#link()), this.#names, topology);
    this.#wishes.add(topology);
  }

  publish(batch: readonly Outgoing[]): Promise<readonly Confirmation[]> {
    if (batch.some(isDelayed)) return this.#publishSome(batch);
    return this.#publisher.publish(batch.map((outgoing) => this.#posting(outgoing)));
  }

  /** Of these some are delayed. */
  async #publishSome(batch: readonly Outgoing[]): Promise<readonly Confirmation[]> {
    const prompt = batch.filter((outgoing) => !isDelayed(outgoing));
    const sent = this.#publisher.publish(prompt.map((outgoing) => this.#posting(outgoing)));
    const delayed = batch
      .filter(isDelayed)
      .map((outgoing) => this.#delayed.publish(this.#posting(outgoing), outgoing.delayMs ?? 0));
    const now = (await sent).values();
    const later = (await Promise.all(delayed)).values();
    return batch.map((one) => (isDelayed(one) ? later : now).next().value ?? "failed");
  }

  async consume(options: ConsumeOptions): Promise<Consumer> {
    return this.#consume(this.#link(), options);
  }

  async depth(queue: string): Promise<number> {
    const link = this.#link();
    const ask = () => queueDepth(this.#talk(link), queue);
    return ask().catch((error: unknown) => this.#restored(link, { queue, error }).then(ask));
  }

  state(): TransportState {
    return this.#board.state;
  }

  watch(listener: (state: TransportState) => void): Cancel {
    return this.#board.watch(listener);
  }

  async close(): Promise<void> {
    await this.#relay?.close();
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    await this.#lastConfirms();
    await this.#keeper.close();
    this.#publisher.detach();
    this.#board.show({ status: "down", reason: "closed" });
  }

  /** Delay queues are made while consumers are at work, which a failure must not end. */
  async #declareDelay(bucket: Parameters<typeof declareDelay>[2]): Promise<void> {
    const link = this.#link();
    await link.aside((connection) =>
      declareDelay({ ...this.#talk(link), connection }, this.#names, bucket),
    );
  }

  /** Everything that was there before is there again before anybody is told that the link is up. */
  async #prepare(link: Link): Promise<void> {
    await declareOwn(this.#talk(link), this.#names);
    await declareTopology(this.#talk(link), this.#names, this.#wishes.topology);
    this.#queues.forget();
    await this.#publisher.attach(link.publishing);
    await this.#startRelay(link);
  }

  async #startRelay(link: Link): Promise<void> {
    this.#relay = new DelayRelay({
      names: this.#names,
      user: this.user,
      id: this.#id,
      clock: this.#clock,
      queues: this.#queues,
      publish: (postings) => this.#publisher.publish(postings),
      lost: (reason) => void this.#mendRelay(link, reason),
    });
    await this.#relay.start((options) => this.#consume(link, options));
  }

  /** With its link it comes back anyway; here its queue was deleted, or it held a message for too long. */
  async #mendRelay(link: Link, reason: string): Promise<void> {
    await sleep(this.#clock, this.#limits.firstRetryMs);
    if (this.#keeper.link !== link || link.ended !== undefined) return;
    try {
      await declareOwn(this.#talk(link), this.#names);
      await this.#startRelay(link);
    } catch {
      link.end(reason);
    }
  }

  /** Only publishing has failed, so consumers go on: an exchange was missing, or a message was too large. */
  async #mendPublisher(reason: string): Promise<void> {
    const { link } = this.#keeper;
    // What broke it may come again at once.
    await sleep(this.#clock, this.#limits.firstRetryMs);
    if (link === undefined || link.ended !== undefined) return;
    try {
      await declareOwn(this.#talk(link), this.#names);
      this.#queues.forget();
      await this.#publisher.attach(link.publishing);
    } catch {
      link.end(reason);
    }
  }

  async #consume(link: Link, options: ConsumeOptions): Promise<Consumer> {
    const { queue } = options;
    const start = () => startConsumer(options, { ...this.#talk(link), ended: () => link.ended });
    const consumer = await start().catch((error: unknown) =>
      this.#restored(link, { queue, error }).then(start),
    );
    this.#consumers.add(consumer);
    consumer.whenEnded(() => this.#consumers.delete(consumer));
    return consumer;
  }

  /** Makes a declared queue anew that somebody has deleted; any other failure is thrown on. */
  async #restored(
    link: Link,
    { queue, error }: { readonly queue: string; readonly error: unknown },
  ): Promise<void> {
    const isGone = error instanceof WaybillError && error.code === "unknown-queue";
    const wish = isGone ? this.#wishes.of(queue) : undefined;
    if (wish === undefined) throw error;
    await declareTopology(this.#talk(link), this.#names, wish);
  }

  #posting({ exchange, routingKey, message }: Outgoing): Posting {
    const mandatory = exchange === "";
    return { exchange: this.#names.exchange(exchange), routingKey, mandatory, message };
  }

  #down(reason: string): void {
    this.#publisher.detach();
    this.#board.show({ status: "down", reason });
  }

  #blocked(reason: string | undefined): void {
    this.#publisher.block(reason !== undefined);
    this.#board.show(
      reason === undefined
        ? { status: "up" }
        : { status: "blocked", reason: `the broker takes no messages: ${reason}` },
    );
  }

  #lastConfirms(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(this.#limits.closeDeadlineMs, resolve);
      void this.#publisher.idle().then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** Queues are made where they are consumed: reply queues belong to their connection. */
  #talk(link: Link): Talk {
    const { answerDeadlineMs } = this.#limits;
    return { connection: link.consuming, clock: this.#clock, answerDeadlineMs };
  }

  /** @throws WaybillError `unavailable` */
  #link(): Link {
    const { link } = this.#keeper;
    if (link === undefined) throw unavailable(this.state().reason ?? "it is down");
    return link;
  }
}

function isDelayed({ delayMs = 0 }: Outgoing): boolean {
  return delayMs > 0;
}
