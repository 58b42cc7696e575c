import type { Channel, ConfirmChannel, ConsumeMessage, Options } from "amqplib";
import type { Answer, Request, Service } from "./service.ts";

const prefetch = 100;
/** What did not get out is taken up again after this pause, in milliseconds. */
const againMs = 500;
/**
 * Said, because RabbitMQ 4 drops what came back 20 times unless it is told otherwise, and the same as in an engine
 * process that hosts its services itself: a queue has one set of arguments.
 */
const deliveryLimit = 2_000_000_000;

export interface SessionOptions {
  readonly service: Service;
  /** First part of the name of every exchange and queue. */
  readonly prefix: string;
  /** Under which login: the broker refuses messages that name another. */
  readonly user: string;
  /** Takes a line for a person to read. */
  readonly say: (line: string) => void;
}

/** A service on one channel: it lives as long as that does. */
export class AmqpSession {
  readonly #channel: ConfirmChannel;
  readonly #options: SessionOptions;
  readonly #underWay = new Set<Promise<void>>();
  #consumerTag = "";

  constructor(channel: ConfirmChannel, options: SessionOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  /** Makes what the service needs exist, and begins to take requests. */
  async begin(): Promise<void> {
    const { service, prefix, say } = this.#options;
    const channel = this.#channel;
    const queue = `${prefix}.shop.${service.name}`;
    await declareOwn(channel, { queue, prefix, patterns: service.patterns });
    await channel.prefetch(prefetch);
    channel.on("return", ({ fields }) => say(`answers ${fields.routingKey}, which is gone`));
    const { consumerTag } = await channel.consume(queue, (request) => this.#take(request));
    this.#consumerTag = consumerTag;
  }

  /** Takes nothing more in; resolves when all that was taken is answered, or given back. */
  async end(): Promise<void> {
    await this.#channel.cancel(this.#consumerTag);
    await Promise.all(this.#underWay);
    await this.#channel.close();
  }

  #take(delivery: ConsumeMessage | null): void {
    // The queue was deleted; a new channel declares it again.
    if (delivery === null) return void this.#channel.emit("close");
    const work = this.#answer(delivery).finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  /** A request is out of the queue only when all that it leads to is safe with the broker. */
  async #answer(delivery: ConsumeMessage): Promise<void> {
    const channel = this.#channel;
    try {
      const headers = passedOn(delivery);
      const answers = this.#decide(requestOf(delivery));
      await Promise.all(answers.map((answer) => this.#send(answer, headers)));
      channel.ack(delivery);
    } catch {
      // It was not confirmed. When the channel is gone, the broker hands the request out again by itself.
      await pause(againMs);
      attempt(() => channel.nack(delivery));
    }
  }

  #decide(request: Request): readonly Answer[] {
    try {
      return this.#options.service.handle(request);
    } catch (thrown) {
      this.#options.say(`leaves a request unanswered: ${String(thrown)}`);
      return [];
    }
  }

  async #send(answer: Answer, headers: Options.Publish["headers"]): Promise<void> {
    const { prefix, user, service } = this.#options;
    const { exchange, routingKey, message, delayMs = 0 } = answer;
    const { id, type, body, correlationId } = message;
    if (delayMs > 0) await pause(delayMs);
    const properties: Options.Publish = {
      messageId: id,
      type,
      contentType: "application/json",
      persistent: true,
      userId: user,
      appId: service.name,
      mandatory: exchange === "",
      headers,
      ...(correlationId !== undefined && { correlationId }),
    };
    const to = exchange === "" ? "" : `${prefix}.${exchange}`;
    await new Promise<void>((resolve, reject) => {
      this.#channel.publish(to, routingKey, Buffer.from(body), properties, (refused) =>
        refused === null ? resolve() : reject(refused),
      );
    });
  }
}

/** The two exchanges are declared as the engine does, so that a service may well be there first. */
async function declareOwn(
  channel: Channel,
  { queue, prefix, patterns }: { queue: string; prefix: string; patterns: readonly string[] },
): Promise<void> {
  const events = `${prefix}.events`;
  const alternateExchange = `${prefix}.unrouted`;
  await channel.assertExchange(events, "topic", { durable: true, alternateExchange });
  await channel.assertExchange(`${prefix}.inbound`, "topic", { durable: true });
  await channel.assertQueue(queue, {
    durable: true,
    arguments: { "x-queue-type": "quorum", "x-delivery-limit": deliveryLimit },
  });
  for (const pattern of patterns) await channel.bindQueue(queue, events, pattern);
}

function requestOf({ content, properties }: ConsumeMessage): Request {
  const given = {
    id: properties.messageId as unknown,
    type: properties.type as unknown,
    correlationId: properties.correlationId as unknown,
    replyTo: properties.replyTo as unknown,
  };
  const texts = Object.entries(given).filter(([, value]) => typeof value === "string");
  return { ...Object.fromEntries(texts), body: content.toString("utf8") };
}

/** The W3C trace context of a request belongs on its answers too. */
function passedOn({ properties }: ConsumeMessage): Record<string, unknown> {
  const headers = Object.entries(properties.headers ?? {});
  return Object.fromEntries(
    headers.filter(([name]) => /^(traceparent|tracestate|baggage)$/.test(name)),
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** A closed channel throws, and then nothing is left to be done on it. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {}
}
