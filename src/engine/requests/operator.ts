import { WaybillError } from "../../errors.ts";
import { instanceHeader, type Message } from "../../message.ts";
import { partitionOf } from "../../routing.ts";
import type { ControlArrival, LetterArrival } from "../arrival.ts";
import type {
  ControlRequest,
  DeadLetter,
  InstanceView,
  Redriven,
  RedriveRequest,
} from "../client.ts";
import { unknownLetter } from "../plan/apply-letter.ts";
import type { EnginePorts } from "../ports.ts";
import { jsonMessage, wire } from "../wire.ts";
import type { Reader } from "./reader.ts";
import { type Requester, unlessRefused } from "./requester.ts";

const answerTimeoutMs = 10_000;
const defaultRedrives = 1_000;
const pageSize = 100;

/** Asks the owners of instances and dead letters for what operators want. */
export class Operator {
  readonly #ports: EnginePorts;
  readonly #reader: Reader;
  readonly #requester: Requester;

  constructor(ports: EnginePorts, reader: Reader, requester: Requester) {
    this.#ports = ports;
    this.#reader = reader;
    this.#requester = requester;
  }

  /** Does something to an instance, once under one idempotency key. */
  async control(action: ControlArrival["action"], request: ControlRequest): Promise<InstanceView> {
    const { ids, store } = this.#ports;
    const { workflow, id, idempotencyKey = ids.next(), traceHeaders } = request;
    await this.#reader.load(workflow, id);
    const { key, partition } = this.#reader.locate(workflow, id);
    const headers = { ...traceHeaders, [instanceHeader]: key };
    const properties = { id: idempotencyKey, type: wire.control, headers };
    const message = this.#stamped(properties, { action });
    const answer = await this.#ask(partition, message, async () => {
      const known = await store.handled(partition, key, [idempotencyKey]);
      if (known.length === 0) return undefined;
      return { instance: this.#reader.view(await this.#reader.load(workflow, id)) };
    });
    return answer["instance"] as InstanceView;
  }

  /** Sends a dead letter again, or drops it. @throws WaybillError `unknown-dead-letter`, `held`, `not-redrivable` */
  async settle(action: LetterArrival["action"], id: string): Promise<void> {
    const letter = await this.#reader.deadLetter(id);
    if (letter === undefined) throw new WaybillError(unknownLetter(id));
    const { key, partition } = letter;
    // The owner looks at the instance too, unless that is another owner's.
    const isOwn = key !== undefined && partitionOf(key, this.#ports.partitions) === partition;
    const headers = isOwn ? { [instanceHeader]: key } : {};
    const properties = { id: this.#ports.ids.next(), type: wire.letter, headers };
    const message = this.#stamped(properties, { action, letter: id });
    await this.#ask(partition, message, async () =>
      (await this.#reader.deadLetter(id)) === undefined ? {} : undefined,
    );
  }

  /** Sends dead letters again that are older than `before`, oldest first; those that are too old only by that reason. */
  async redriveAll(request: RedriveRequest): Promise<Redriven> {
    const { before, limit = defaultRedrives, ...filter } = request;
    // What comes back as a dead letter is younger than this, so that nothing goes round and round.
    const end = Math.min(before, await this.#reader.now());
    const done = { redriven: 0, refused: 0, more: false };
    for (let cursor: string | undefined; ; ) {
      const asked = { ...filter, limit: pageSize, ...(cursor !== undefined && { cursor }) };
      const page = await this.#reader.deadLetters(asked);
      const due = page.items.filter(({ at }) => at < end);
      const chosen = due.slice(0, limit - done.redriven);
      // Whether one that is too old was applied long ago nobody can tell: each has to be looked at, or asked for.
      const sent = chosen.filter(
        ({ reason }) => reason !== "too-old" || filter.reason === "too-old",
      );
      const outcomes = await Promise.all(sent.map((letter) => this.#tryRedrive(letter)));
      const redriven = outcomes.filter(Boolean).length;
      done.redriven += redriven;
      done.refused += chosen.length - redriven;
      if (chosen.length < due.length) return { ...done, more: true };
      cursor = page.nextCursor;
      if (cursor === undefined || due.length < page.items.length) return done;
    }
  }

  /** False for a dead letter that cannot be sent again, or that somebody else was faster with. */
  async #tryRedrive({ id }: DeadLetter): Promise<boolean> {
    try {
      await this.settle("redrive", id);
      return true;
    } catch (error) {
      if (error instanceof WaybillError && !error.retryable) return false;
      throw error;
    }
  }

  #stamped(properties: Omit<Message, "body">, body: object): Message {
    return jsonMessage({ ...properties, timestamp: this.#ports.storeClock.latest() }, body);
  }

  async #ask(
    partition: number,
    message: Message,
    recheck: () => Promise<Readonly<Record<string, unknown>> | undefined>,
  ): Promise<Readonly<Record<string, unknown>>> {
    const routingKey = this.#ports.names.partition(partition);
    const timeoutMs = answerTimeoutMs;
    return unlessRefused(await this.#requester.ask({ routingKey, message, timeoutMs, recheck }));
  }
}
