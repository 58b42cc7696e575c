import { type Clock, sleep } from "../clock.ts";
import { instanceAttributes, messageAttributes } from "../engine/trace-send.ts";
import { traceOf } from "../engine/wire.ts";
import { instanceHeader, type Message } from "../message.ts";
import { attribute, spanName } from "../semantic-conventions.ts";
import { type OpenSpan, silentTracer, type Tracer } from "../tracer.ts";
import type { Consumer, Delivery, Outgoing, Transport } from "../transport.ts";

/** A service that is nothing but messages: what it is asked, and what it answers. */
export interface MessageService {
  readonly name: string;
  /** Which requests it takes, as routing patterns of the topic exchange `events`. */
  readonly patterns: readonly string[];
  /** All that a request leads to, the same whenever it is repeated. What it throws leaves the request unanswered. */
  handle(request: Message): readonly Outgoing[];
}

export interface ServiceHostOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Follows requests into their answers; silent unless given. */
  readonly tracer?: Tracer;
  readonly service: MessageService;
  /** The name of the service's own queue. */
  readonly queue: string;
  /** Is told of what needs a person's eye; the service goes on. */
  readonly trouble: (message: string) => void;
}

/** A service that is running. */
export interface ServiceHost {
  /** Takes nothing more in; what was not answered yet stays in the queue. */
  stop(): Promise<void>;
}

const prefetch = 100;
const pauseMs = 500;

/**
 * Runs a service on a transport: takes requests from its own durable queue, publishes the answers, and
 * acknowledges a request once all its answers are confirmed. A delayed answer is held back here rather than
 * by the broker, which may lose it: the request stays in the queue until then.
 */
export async function startService(options: ServiceHostOptions): Promise<ServiceHost> {
  const host = new Host(options);
  await host.start();
  return host;
}

interface Work {
  readonly delivery: Delivery;
  readonly answers: readonly Outgoing[];
}

class Host implements ServiceHost {
  readonly #options: ServiceHostOptions;
  #consumer: Consumer | undefined;
  #arrived: Delivery[] = [];
  #stopped = false;

  constructor(options: ServiceHostOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { transport, service, queue } = this.#options;
    await transport.declare({
      queues: [{ name: queue, kind: "work" }],
      bindings: service.patterns.map((pattern) => ({
        queue,
        exchange: "events" as const,
        pattern,
      })),
    });
    await this.#consume();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#consumer?.close();
  }

  async #consume(): Promise<void> {
    const { transport, queue } = this.#options;
    this.#arrived = [];
    const consumer = await transport.consume({
      queue,
      prefetch,
      deliver: (delivery) => this.#take(delivery),
      lost: (reason) => void this.#again(reason),
    });
    if (this.#stopped) return consumer.close();
    this.#consumer = consumer;
    // Deliveries can be faster than the promise of their consumer.
    this.#answer();
  }

  async #again(reason: string): Promise<void> {
    const { clock, service, trouble } = this.#options;
    this.#consumer = undefined;
    if (!this.#stopped) trouble(`${service.name} lost its queue and takes it up again: ${reason}`);
    while (!this.#stopped && this.#consumer === undefined) {
      await sleep(clock, pauseMs);
      await this.#consume().catch(() => undefined);
    }
  }

  /** Gathers what arrives in one turn: one publish of a hundred answers costs little more than one of one. */
  #take(delivery: Delivery): void {
    this.#arrived.push(delivery);
    if (this.#arrived.length === 1) this.#options.clock.soon(() => this.#answer());
  }

  #answer(): void {
    const consumer = this.#consumer;
    if (consumer === undefined || this.#arrived.length === 0) return;
    const work = this.#arrived.map((delivery) => ({ delivery, answers: this.#decide(delivery) }));
    this.#arrived = [];
    void this.#settle(consumer, work);
  }

  /** Publishes the answers by rising delay, and acknowledges each request after its last one. */
  async #settle(consumer: Consumer, work: readonly Work[]): Promise<void> {
    const delays = [...new Set(work.flatMap(delaysOf))].toSorted((a, b) => a - b);
    let elapsedMs = 0;
    for (const delayMs of delays) {
      if (delayMs > elapsedMs) await sleep(this.#options.clock, delayMs - elapsedMs);
      elapsedMs = delayMs;
      const due = work
        .flatMap(({ answers }) => answers)
        .filter((answer) => delayOf(answer) === delayMs);
      if (!(await this.#publish(due))) return;
      const answered = work.filter((item) => Math.max(...delaysOf(item)) === delayMs);
      consumer.ack(answered.map(({ delivery }) => delivery));
    }
  }

  /** Resolves with true once all is out, with false when the service stopped before. */
  async #publish(answers: readonly Outgoing[]): Promise<boolean> {
    const { transport, clock, service, trouble } = this.#options;
    let batch: readonly Outgoing[] = answers.map(({ exchange, routingKey, message }) => ({
      exchange,
      routingKey,
      message,
    }));
    while (batch.length > 0 && !this.#stopped) {
      const sent = batch;
      const confirmations = await transport.publish(sent);
      const returned = sent.filter((_, index) => confirmations[index] === "returned");
      for (const { routingKey } of returned)
        trouble(`${service.name} answers ${routingKey}, which is gone.`);
      batch = sent.filter((_, index) => confirmations[index] === "failed");
      if (batch.length > 0) await sleep(clock, pauseMs);
    }
    return batch.length === 0;
  }

  #begin(message: Message): OpenSpan {
    const { tracer = silentTracer, service, queue } = this.#options;
    return tracer.begin({
      kind: "consumer",
      name: spanName.process(message.type ?? service.name),
      parent: traceOf(message.headers),
      details: () => ({
        attributes: {
          [attribute.operationType]: "process",
          [attribute.destination]: queue,
          [attribute.service]: service.name,
          ...messageAttributes(message),
          ...instanceAttributes(message.headers?.[instanceHeader] ?? ""),
        },
      }),
    });
  }

  #decide({ message }: Delivery): readonly Outgoing[] {
    const { service, trouble } = this.#options;
    const span = this.#begin(message);
    try {
      const answers = service.handle(message);
      span.end();
      return answers.map((answer) => carrying(answer, span));
    } catch (thrown) {
      const error = String(thrown);
      span.end(() => ({ error, attributes: { [attribute.errorType]: "unanswered" } }));
      trouble(`${service.name} leaves a request unanswered: ${String(thrown)}`);
      return [];
    }
  }
}

/** The answer with the trace context that it comes of. */
function carrying(answer: Outgoing, { headers: trace }: OpenSpan): Outgoing {
  const { message } = answer;
  const headers = { ...message.headers, ...trace };
  if (Object.keys(headers).length === 0) return answer;
  return { ...answer, message: { ...message, headers } };
}

function delayOf(answer: Outgoing): number {
  return answer.delayMs ?? 0;
}

function delaysOf({ answers }: Work): readonly number[] {
  return [0, ...answers.map(delayOf)];
}
