import { setTimeout as sleep } from "node:timers/promises";
import { type Channel, type ChannelModel, type ConfirmChannel, connect } from "amqplib";

const confirmMs = 8_000;
const againMs = 200;

/** A message as any AMQP client sends it. */
export interface PlainMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly id: string;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Another application that publishes with confirms, and sends again under the same id until it has one. */
export class PlainSender {
  readonly #url: string;
  #channel: Promise<ConfirmChannel> | undefined;
  #connection: ChannelModel | undefined;
  readonly #returned = new Set<string>();
  #closed = false;

  constructor(url: string) {
    this.#url = url;
  }

  /** Resolves once the broker has confirmed that a queue has it; false when the sender was closed before. */
  async send(message: PlainMessage): Promise<boolean> {
    while (!this.#closed) {
      if (await this.#attempt(message)) return true;
      await sleep(againMs);
    }
    return false;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await hangUp(this.#connection);
  }

  async #attempt(message: PlainMessage): Promise<boolean> {
    const { exchange, routingKey, id, type, body, headers = {} } = message;
    try {
      const channel = await (this.#channel ??= this.#open());
      const confirmed = await new Promise<boolean>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error("no confirm")), confirmMs);
        const flags = { mandatory: true, persistent: true };
        const options = { messageId: id, type, headers, ...flags };
        channel.publish(exchange, routingKey, Buffer.from(body), options, (error) => {
          clearTimeout(late);
          resolve(error === null || error === undefined);
        });
      });
      return !this.#returned.delete(id) && confirmed;
    } catch {
      this.#channel = undefined;
      await hangUp(this.#connection);
      return false;
    }
  }

  async #open(): Promise<ConfirmChannel> {
    const connection = await dial(this.#url);
    this.#connection = connection;
    const channel = await connection.createConfirmChannel();
    const lost = () => {
      this.#channel = undefined;
    };
    channel.on("return", ({ properties }) => this.#returned.add(String(properties.messageId)));
    channel.on("error", lost);
    channel.on("close", lost);
    return channel;
  }
}

/** What came under one message id, and how often. */
export interface Arrived {
  readonly bodies: Set<string>;
  readonly deliveries: number;
}

/** Another application with a queue of its own, bound to all that is emitted. */
export class Sink {
  /** By message id, in the order of their first arrival. */
  readonly received = new Map<string, Arrived>();
  /** Told the id of everything that comes. */
  listener: (id: string) => void = () => undefined;
  readonly #url: string;
  readonly #prefix: string;
  #connection: ChannelModel | undefined;
  #opening: Promise<void> | undefined;
  #closed = false;

  constructor(url: string, prefix: string) {
    this.#url = url;
    this.#prefix = prefix;
  }

  /** Resolves once its queue is bound. It listens once: two consumers of one queue would not keep its order. */
  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<void> {
    for (;;) {
      try {
        return await this.#listen();
      } catch (error) {
        if (this.#closed) return;
        await hangUp(this.#connection);
        await sleep(againMs);
        if (/ACCESS_REFUSED|PRECONDITION/.test(String(error))) throw error;
      }
    }
  }

  /** Forgets what has come under such ids. */
  forget(isMeant: (id: string) => boolean): void {
    for (const id of this.received.keys()) if (isMeant(id)) this.received.delete(id);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await hangUp(this.#connection);
  }

  async #listen(): Promise<void> {
    const connection = await dial(this.#url);
    this.#connection = connection;
    let isLost = false;
    const lost = () => {
      if (isLost || this.#closed) return;
      isLost = true;
      setTimeout(() => void this.#open(), againMs);
    };
    const channel = await connection.createChannel();
    channel.on("error", () => undefined);
    const queue = `${this.#prefix}-sink`;
    await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
    await channel.bindQueue(queue, `${this.#prefix}.events`, "#");
    await channel.prefetch(500);
    await channel.consume(queue, (message) => {
      if (message === null) {
        void hangUp(connection);
        return;
      }
      this.#take(String(message.properties.messageId), String(message.content));
      acknowledge(channel, message);
    });
    connection.on("close", lost);
    channel.on("close", () => void hangUp(connection));
  }

  #take(id: string, body: string): void {
    this.listener(id);
    const { bodies = new Set<string>(), deliveries = 0 } = this.received.get(id) ?? {};
    this.received.set(id, { bodies: bodies.add(body), deliveries: deliveries + 1 });
  }
}

function acknowledge(channel: Channel, message: Parameters<Channel["ack"]>[0]): void {
  try {
    channel.ack(message);
  } catch {
    // The channel has gone, so it comes again.
  }
}

async function dial(url: string): Promise<ChannelModel> {
  const connection = await connect(`${url}?heartbeat=4`, { timeout: 5_000 });
  connection.on("error", () => undefined);
  return connection;
}

async function hangUp(connection: ChannelModel | undefined): Promise<void> {
  const closing = connection?.close().catch(() => undefined);
  await Promise.race([closing, sleep(500)]);
  const { stream } = (connection?.connection ?? {}) as { stream?: { destroy(): void } };
  stream?.destroy();
}
