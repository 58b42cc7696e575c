import type { Cancel } from "../../clock.ts";
import { type ErrorFacts, WaybillError } from "../../errors.ts";
import type { Message } from "../../message.ts";
import { attribute } from "../../semantic-conventions.ts";
import { silentTracer } from "../../tracer.ts";
import type { Consumer, Delivery, Outgoing } from "../../transport.ts";
import { within } from "../deadline.ts";
import { type EnginePorts, textOf } from "../ports.ts";
import { type TracedSend, traceSend } from "../trace-send.ts";
import { TurnPublisher } from "../turn-publisher.ts";
import { jsonMessage, wire } from "../wire.ts";

/** What an owner has answered, or undefined when only the store can tell. */
export type Answer = Readonly<Record<string, unknown>>;

interface Pending {
  readonly settle: (answer: Answer) => void;
  readonly giveUp: (why: WaybillError) => void;
  readonly cancel: Cancel;
}

const recheckMs = 1_000;
const probeMs = 5_000;

/**
 * Asks the owners of partitions and waits for their answers on a queue of this process. An answer is best
 * effort; the one who asks looks into the store every second as well, so a lost one costs time, not truth.
 */
export class Requester {
  readonly #ports: EnginePorts;
  #queue = "";
  readonly #pending = new Map<string, Pending>();
  #consumer: Consumer | undefined;
  #isRestarting = false;
  /** That of the last consumer: it may end before it is known to have begun. */
  #life = { hasEnded: false };
  #cancelProbe: Cancel | undefined;
  readonly #publisher: TurnPublisher;

  constructor(ports: EnginePorts) {
    this.#ports = ports;
    this.#publisher = new TurnPublisher(ports);
  }

  async start(): Promise<void> {
    const { transport, names, ids } = this.#ports;
    const life = { hasEnded: false };
    this.#life = life;
    // Another name each time: the broker may hold the old one for a connection or a node that is gone.
    this.#queue = names.reply(ids.next());
    await transport.declare({ queues: [{ name: this.#queue, kind: "reply" }], bindings: [] });
    this.#consumer = await transport.consume({
      queue: this.#queue,
      prefetch: 1_000,
      deliver: (delivery) => this.#answered(delivery),
      lost: (reason) => {
        life.hasEnded = true;
        if (life === this.#life) this.#restart(reason);
      },
    });
    this.#probeLater();
  }

  async stop(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    this.#cancelProbe?.();
    for (const { giveUp } of this.#pending.values()) giveUp(stopped());
    await consumer?.close();
  }

  /**
   * Publishes to a partition queue; resolves once the broker has it.
   * @throws WaybillError `unavailable` when the broker does not take it.
   */
  async tell(routingKey: string, message: Message): Promise<void> {
    const { outgoing, span } = this.#traced({ exchange: "", routingKey, message });
    const confirmed = (await this.#publisher.publish(outgoing)) === "confirmed";
    const error = "the broker did not take it";
    const refused = () => ({ error, attributes: { [attribute.errorType]: "unavailable" } });
    span.end(confirmed ? undefined : refused);
    if (confirmed) return;
    const { reason } = this.#ports.transport.state();
    throw new WaybillError({
      code: "unavailable",
      message: `The broker did not take the message${reason === undefined ? "" : `: ${reason}`}.`,
      action: "Try again with the same idempotency key; /readyz says what is wrong.",
      retryable: true,
    });
  }

  /**
   * Asks and waits for the owner's answer. Once a second `recheck` may find the answer in the store instead.
   * @throws WaybillError `deadline` after `timeoutMs`, `unavailable`.
   */
  async ask(request: {
    readonly routingKey: string;
    readonly message: Message;
    readonly timeoutMs: number;
    readonly recheck: () => Promise<Answer | undefined>;
  }): Promise<Answer> {
    const correlationId = this.#ports.ids.next();
    const answered = this.#wait(correlationId, request);
    // It may be given up, or its time be up, before the broker has confirmed and anybody awaits it.
    answered.catch(() => undefined);
    const message = { ...request.message, correlationId, replyTo: this.#queue };
    try {
      await this.tell(request.routingKey, message);
    } catch (error) {
      this.#pending.get(correlationId)?.cancel();
      this.#pending.delete(correlationId);
      throw error;
    }
    return answered;
  }

  /** A request without an id, a watch, leads to no step. */
  #traced(outgoing: Outgoing): TracedSend {
    const tracer = outgoing.message.id === undefined ? silentTracer : this.#ports.tracer;
    return traceSend({ tracer, names: this.#ports.names }, outgoing);
  }

  #wait(
    id: string,
    { timeoutMs, recheck }: { timeoutMs: number; recheck: () => Promise<Answer | undefined> },
  ): Promise<Answer> {
    const { clock, limits } = this.#ports;
    const endsAt = clock.monotonic() + timeoutMs;
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#pending.get(id)?.cancel();
        this.#pending.delete(id);
      };
      const settle = (answer: Answer) => {
        end();
        resolve(answer);
      };
      const giveUp = (why: WaybillError) => {
        end();
        reject(why);
      };
      const look = () => {
        const leftMs = endsAt - clock.monotonic();
        if (leftMs <= 0) return giveUp(deadline(timeoutMs));
        const cancel = clock.after(Math.min(recheckMs, leftMs), again);
        this.#pending.set(id, { settle, giveUp, cancel });
      };
      const again = () => {
        const looking = within(clock, limits.storeDeadlineMs, recheck(), "The store");
        void looking
          .catch(() => undefined)
          .then((answer) => {
            if (!this.#pending.has(id)) return;
            if (answer === undefined) look();
            else settle(answer);
          });
      };
      look();
    });
  }

  #answered(delivery: Delivery): void {
    this.#consumer?.ack([delivery]);
    const { correlationId, body, userId } = delivery.message;
    if (userId !== this.#ports.transport.user) return;
    this.#pending.get(correlationId ?? "")?.settle(JSON.parse(body) as Answer);
  }

  #probeLater(): void {
    this.#cancelProbe?.();
    this.#cancelProbe = this.#ports.clock.after(probeMs, () => {
      this.#probeLater();
      void this.#probe();
    });
  }

  /** The queue may go without a word: on RabbitMQ 4.3 it did when another node of the cluster came back. */
  async #probe(): Promise<void> {
    const message = jsonMessage({ type: wire.reply }, {});
    const probe: Outgoing = { exchange: "", routingKey: this.#queue, message };
    const [outcome] = await this.#ports.transport.publish([probe]);
    if (outcome === "returned" && probe.routingKey === this.#queue)
      this.#restart("its queue is gone");
  }

  #restart(reason: string): void {
    const { observer, clock } = this.#ports;
    if (this.#consumer === undefined || this.#isRestarting) return;
    this.#isRestarting = true;
    const message = `the reply consumer ended: ${reason}`;
    observer.observe({ kind: "trouble", where: "transport", message });
    const retry = async () => {
      const old = this.#consumer;
      if (old === undefined) return;
      try {
        await this.start();
        this.#isRestarting = false;
        if (this.#life.hasEnded) this.#restart("it ended as it began");
        await old.close();
      } catch (error) {
        observer.observe({ kind: "trouble", where: "transport", message: textOf(error) });
        if (this.#isRestarting) clock.after(recheckMs, () => void retry());
      }
    };
    clock.after(recheckMs, () => void retry());
  }
}

/** The answer of an owner; throws its refusal as the error that it is. */
export function unlessRefused(answer: Answer): Answer {
  const { problem } = answer as { readonly problem?: ErrorFacts };
  if (problem !== undefined) throw new WaybillError(problem);
  return answer;
}

function deadline(timeoutMs: number): WaybillError {
  return new WaybillError({
    code: "deadline",
    message: `No answer came within ${timeoutMs} ms; the message is safe and will be handled.`,
    action: "Read the instance, or send it again with the same idempotency key.",
    retryable: true,
  });
}

function stopped(): WaybillError {
  return new WaybillError({
    code: "unavailable",
    message: "This process stops; the message is safe and will be handled.",
    action: "Ask another process, with the same idempotency key.",
    retryable: true,
  });
}
