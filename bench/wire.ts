import { type ChannelModel, type ConfirmChannel, connect, type Options } from "amqplib";
import { instanceHeader } from "../src/message.ts";
import { namesFor, partitionOf } from "../src/routing.ts";
import { corkFrames } from "../transports/rabbitmq/cork.ts";

const windowMessages = 2_000;
const prefetch = 5_000;

/** The queues of one subject. */
export interface Place {
  readonly broker: string;
  readonly prefix: string;
  readonly partitions: number;
}

/** A message for an instance, on its way into the queue of its partition. */
export interface Made {
  readonly key: string;
  readonly messageId: string;
  readonly type: string;
  readonly body: object;
}

/** What came out: the type, the payload, and when the engine had sent it by its store's clock. */
export interface Heard {
  readonly id: string;
  readonly type: string;
  readonly body: unknown;
  readonly sentAt: number;
}

/** The benchmark's own connection to the broker. */
export class Wire {
  readonly channel: ConfirmChannel;
  readonly #place: Place;
  readonly #connection: ChannelModel;

  private constructor(place: Place, connection: ChannelModel, channel: ConfirmChannel) {
    this.#place = place;
    this.#connection = connection;
    this.channel = channel;
  }

  /** Declares the queues as this engine does, so that each subject has the same ones. */
  static async open(place: Place, heard: readonly string[]): Promise<Wire> {
    const connection = await connect(place.broker, { noDelay: true });
    corkFrames(connection);
    const wire = new Wire(place, connection, await connection.createConfirmChannel());
    await wire.#declare(heard);
    return wire;
  }

  /** The queue in which everything is gathered that comes out. */
  get out(): string {
    return `${this.#place.prefix}.out`;
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  publish({ key, messageId, type, body }: Made, confirmed: (error: Error | null) => void): void {
    const { prefix, partitions } = this.#place;
    const queue = namesFor(prefix).partition(partitionOf(key, partitions));
    const properties: Options.Publish = {
      messageId,
      type,
      persistent: true,
      contentType: "application/json",
      headers: { [instanceHeader]: key },
    };
    this.channel.publish("", queue, Buffer.from(JSON.stringify(body)), properties, confirmed);
  }

  /** Publishes with so many unconfirmed at a time as the broker takes best; resolves once it has them all. */
  publishAll(total: number, make: (index: number) => Made): Promise<void> {
    return new Promise((resolve, reject) => {
      let [sent, confirmed] = [0, 0];
      const pump = () => {
        while (sent < total && sent - confirmed < windowMessages) {
          this.publish(make(sent), settle);
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

  /** Takes what comes out from now on; resolves with what ends that. */
  async listen(take: (heard: Heard) => void): Promise<() => Promise<void>> {
    const reader = await this.#connection.createChannel();
    await reader.prefetch(prefetch);
    await reader.consume(
      this.out,
      (message) => {
        if (message === null) return;
        const {
          messageId: id = "",
          timestamp,
          headers,
        } = message.properties as {
          readonly messageId?: string;
          readonly timestamp?: number;
          readonly headers?: Readonly<Record<string, unknown>>;
        };
        const sentAt = (timestamp ?? 0) * 1_000 + Number(headers?.["x-waybill-ms"] ?? 0);
        const body: unknown = JSON.parse(message.content.toString());
        take({ id, type: message.fields.routingKey, body, sentAt });
      },
      { noAck: true },
    );
    return () => reader.close();
  }

  async #declare(heard: readonly string[]): Promise<void> {
    const { prefix, partitions } = this.#place;
    const { channel } = this;
    const quorum = { "x-queue-type": "quorum", "x-delivery-limit": 2_000_000_000 };
    const alternateExchange = `${prefix}.unrouted`;
    await channel.assertExchange(`${prefix}.events`, "topic", { durable: true, alternateExchange });
    for (let partition = 0; partition < partitions; partition += 1) {
      const single = { ...quorum, "x-single-active-consumer": true };
      const name = namesFor(prefix).partition(partition);
      await channel.assertQueue(name, { durable: true, arguments: single });
    }
    await channel.assertQueue(this.out, { durable: true, arguments: quorum });
    for (const type of heard) await channel.bindQueue(this.out, `${prefix}.events`, type);
  }
}
