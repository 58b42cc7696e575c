import { setTimeout as sleep } from "node:timers/promises";
import {
  type Channel,
  type ChannelModel,
  type ConfirmChannel,
  connect,
  type Options,
} from "amqplib";
import { instanceHeader } from "../src/message.ts";
import { namesFor, partitionOf } from "../src/routing.ts";
import { corkFrames } from "../transports/rabbitmq/cork.ts";
import { move, registration, scans } from "./parcel.ts";

const note = "x".repeat(150);
const pollMs = 20;
const silenceMs = 60_000;
const windowMessages = 2_000;

export interface LoadOptions {
  readonly broker: string;
  readonly prefix: string;
  readonly partitions: number;
  readonly instances: number;
}

/** Puts messages into the queues of one subject, and looks at what comes out. */
export class Load {
  readonly #options: LoadOptions;
  readonly #connection: ChannelModel;
  readonly #channel: ConfirmChannel;
  readonly #out: string;
  #sent = 0;

  private constructor(options: LoadOptions, connection: ChannelModel, channel: ConfirmChannel) {
    this.#options = options;
    this.#connection = connection;
    this.#channel = channel;
    this.#out = `${options.prefix}.out`;
  }

  /** Declares the queues as this engine does: each subject has the same ones. */
  static async open(options: LoadOptions): Promise<Load> {
    const connection = await connect(options.broker, { noDelay: true });
    corkFrames(connection);
    const load = new Load(options, connection, await connection.createConfirmChannel());
    await load.#declare();
    return load;
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** Begins every instance, and waits until all have said so. */
  async begin(): Promise<void> {
    const { instances } = this.#options;
    await this.#publishAll(instances, (index) => this.#message(`p${index}`, registration));
    await this.drained(instances);
  }

  /** Publishes so many messages, round robin over the instances; resolves once the broker has them all. */
  async fill(messages: number): Promise<void> {
    await this.#publishAll(messages, () => this.#next());
  }

  /** Resolves once exactly so many have come out, and empties the queue that they came to. */
  async drained(messages: number): Promise<void> {
    let quietSince = performance.now();
    for (let before = -1; ; ) {
      const { messageCount } = await this.#channel.checkQueue(this.#out);
      if (messageCount >= messages) break;
      if (messageCount !== before) quietSince = performance.now();
      before = messageCount;
      if (performance.now() - quietSince > silenceMs) {
        throw new Error(`${this.#out}: only ${messageCount} of ${messages} came out.`);
      }
      await sleep(pollMs);
    }
    const { messageCount } = await this.#channel.purgeQueue(this.#out);
    if (messageCount !== messages) {
      throw new Error(`${this.#out}: ${messageCount} came out of ${messages}.`);
    }
  }

  /** Publishes at a steady rate; how long each took to come out, in milliseconds, without those of the first second. */
  async latencies(perSecond: number, seconds: number): Promise<readonly number[]> {
    const sentAt: number[] = [];
    const took: number[] = [];
    const total = perSecond * seconds;
    const reader = await this.#connection.createChannel();
    let seen = 0;
    // The messages of one instance come out in their order, and so do its answers.
    const waiting = new Map<string, number[]>();
    await this.#read(reader, (id) => {
      const index = waiting.get(id)?.shift();
      seen += 1;
      if (index !== undefined && index >= perSecond) {
        took.push(performance.now() - (sentAt[index] ?? 0));
      }
    });
    const began = performance.now();
    for (let index = 0; index < total; index += 1) {
      const due = began + (index * 1_000) / perSecond;
      while (performance.now() < due) await sleep(Math.max(1, due - performance.now()));
      const one = this.#next();
      waiting.set(one.id, [...(waiting.get(one.id) ?? []), index]);
      sentAt[index] = performance.now();
      this.#publish(one, () => undefined);
    }
    const endsAt = performance.now() + silenceMs;
    while (seen < total && performance.now() < endsAt) await sleep(pollMs);
    await reader.close();
    if (seen !== total) throw new Error(`${this.#out}: ${seen} came out of ${total}.`);
    return took;
  }

  async #read(reader: Channel, take: (id: string) => void): Promise<void> {
    await reader.consume(
      this.#out,
      (message) => {
        if (message === null) return;
        take((JSON.parse(message.content.toString()) as { id: string }).id);
      },
      { noAck: true },
    );
  }

  async #declare(): Promise<void> {
    const { prefix, partitions } = this.#options;
    const channel = this.#channel;
    const quorum = { "x-queue-type": "quorum", "x-delivery-limit": 2_000_000_000 };
    const alternateExchange = `${prefix}.unrouted`;
    await channel.assertExchange(`${prefix}.events`, "topic", { durable: true, alternateExchange });
    for (let partition = 0; partition < partitions; partition += 1) {
      const single = { ...quorum, "x-single-active-consumer": true };
      const name = namesFor(prefix).partition(partition);
      await channel.assertQueue(name, { durable: true, arguments: single });
    }
    await channel.assertQueue(this.#out, { durable: true, arguments: quorum });
    await channel.bindQueue(this.#out, `${prefix}.events`, move);
  }

  #next(): Made {
    const { instances } = this.#options;
    const turn = Math.floor(this.#sent / instances);
    const type = scans[turn % scans.length] ?? scans[0];
    const made = this.#message(`p${this.#sent % instances}`, type);
    this.#sent += 1;
    return made;
  }

  #message(id: string, type: string): Made {
    const { prefix, partitions } = this.#options;
    const key = `parcel/${id}`;
    const messageId = `${id}:${type}:${this.#sent}`;
    const body = type === registration ? { id } : { id, amount: 1, note };
    return {
      id,
      queue: namesFor(prefix).partition(partitionOf(key, partitions)),
      content: Buffer.from(JSON.stringify(body)),
      properties: {
        messageId,
        type,
        persistent: true,
        contentType: "application/json",
        headers: { [instanceHeader]: key },
      },
    };
  }

  #publish({ queue, content, properties }: Made, confirmed: (error: Error | null) => void): void {
    this.#channel.publish("", queue, content, properties, confirmed);
  }

  /** With so many unconfirmed at a time as the broker takes best. */
  #publishAll(total: number, make: (index: number) => Made): Promise<void> {
    return new Promise((resolve, reject) => {
      let [sent, confirmed] = [0, 0];
      const pump = () => {
        while (sent < total && sent - confirmed < windowMessages) {
          this.#publish(make(sent), settle);
          sent += 1;
        }
      };
      const settle = (error: Error | null) => {
        if (error !== null) return reject(error);
        confirmed += 1;
        if (confirmed === total) resolve();
        else if (sent - confirmed <= windowMessages / 2) pump();
      };
      pump();
    });
  }
}

interface Made {
  readonly id: string;
  readonly queue: string;
  readonly content: Buffer;
  readonly properties: Options.Publish;
}
