import { setTimeout as sleep } from "node:timers/promises";
import type { Accepted } from "../support/instance-checks.ts";
import { Seeded } from "../support/seeded.ts";
import { PlainSender } from "./plain-amqp.ts";

/** A message that was accepted, and how many copies of it were. */
interface Sent extends Accepted {
  readonly copies: number;
}

export interface WorkloadOptions {
  /** Where the processes listen that answer now. */
  readonly urls: () => readonly string[];
  /** The broker, under a user that is not the engine's. */
  readonly amqp: string;
  readonly prefix: string;
  readonly seed: number;
}

export interface VoyageOptions {
  /** Everything goes over HTTP, whose answers come after the commit. */
  readonly onlyHttp?: boolean;
  /** What one note does to whoever looks at it, besides the others. */
  readonly harm?: "throw" | "kill";
}

interface HttpRequest extends Accepted {
  readonly method: "PUT" | "POST";
  readonly path: string;
  readonly body: unknown;
}

/** Accepted, or not yet, or never. */
type Answer = boolean | "refused";

const repeatOneIn = 20;
const requestMs = 10_000;
const againMs = 250;
const mostOpen = 120;

/** Applications around the system under test. They note what was accepted: a 2xx, or a publisher confirm. */
export class Workload {
  /** By message id. */
  readonly accepted = new Map<string, Sent>();
  /** Keys of the instances that were asked for. */
  readonly started = new Set<string>();
  readonly #options: WorkloadOptions;
  readonly #chance: Seeded;
  readonly #senders: readonly PlainSender[];
  readonly #waiting = new Set<string>();
  #voyages = 0;
  #requests = 0;
  #stopped = false;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.#chance = new Seeded(options.seed);
    this.#senders = [new PlainSender(options.amqp), new PlainSender(options.amqp)];
  }

  /** Messages that senders still have no answer to. */
  get waiting(): readonly string[] {
    return [...this.#waiting];
  }

  /** Whether an instance, or an effect of one, is of those that it begins. */
  owns(name: string): boolean {
    return name.startsWith(`voyage/v${this.#options.seed}-`);
  }

  /** Begins a voyage every `everyMs`, for as long as `goesOn` says so. */
  async play(goesOn: () => boolean, everyMs: number, options: VoyageOptions = {}): Promise<void> {
    while (goesOn() && !this.#stopped) {
      // While the system stands still, no more is begun than senders would have patience for.
      if (this.#waiting.size < mostOpen) this.voyage(options);
      await sleep(everyMs);
    }
  }

  /** One instance with all that happens to it; answers its id. */
  voyage({ onlyHttp = false, harm }: VoyageOptions = {}): string {
    this.#voyages += 1;
    const id = `v${this.#options.seed}-${this.#voyages}`;
    const [first, second] = onlyHttp
      ? [[], []]
      : [
          [1, 2, 3],
          [1, 2],
        ];
    const http = [1, 2, 3];
    const notes = http.length + first.length + second.length;
    void this.#start(id, notes, onlyHttp || this.#chance.oneIn(2));
    void this.#inTurn(http, (number) => this.#noteOverHttp(id, number));
    void this.#inTurn(first, (number) => this.#noteOverAmqp(0, id, { sender: "a", number }));
    void this.#inTurn(second, (number) => this.#noteOverAmqp(1, id, { sender: "b", number }));
    if (harm) void this.#noteOverAmqp(0, id, { sender: "harm", number: 1, harm });
    return id;
  }

  /** Waits until every sender has its answers. */
  async done(withinMs: number): Promise<boolean> {
    const endsAt = performance.now() + withinMs;
    while (this.#waiting.size > 0 && performance.now() < endsAt) await sleep(50);
    return this.#waiting.size === 0;
  }

  async close(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#senders.map((sender) => sender.close()));
  }

  async #start(voyage: string, notes: number, overHttp: boolean): Promise<void> {
    const key = `voyage/${voyage}`;
    this.started.add(key);
    const type = "voyage.ordered";
    const start = { key, id: `${voyage}:start`, type };
    const input = { voyage, notes };
    if (!overHttp) return this.#publish(1, start, input);
    const path = `/workflows/voyage/instances/${voyage}`;
    await this.#untilKnown(start, () => this.#ask({ ...start, method: "PUT", path, body: input }));
  }

  async #noteOverHttp(voyage: string, number: number): Promise<void> {
    const type = "voyage.noted";
    const note = { key: `voyage/${voyage}`, id: `${voyage}:h${number}`, type };
    const path = `/workflows/voyage/instances/${voyage}/events`;
    const body = { type, voyage, sender: "h", number };
    await this.#untilKnown(note, () => this.#ask({ ...note, method: "POST", path, body }));
  }

  #noteOverAmqp(
    by: number,
    voyage: string,
    note: { readonly sender: string; readonly number: number; readonly harm?: string },
  ): Promise<void> {
    const id = `${voyage}:${note.sender}${note.number}`;
    const accepted = { key: `voyage/${voyage}`, id, type: "voyage.noted" };
    return this.#publish(by, accepted, { voyage, ...note });
  }

  #publish(by: number, message: Accepted, body: unknown): Promise<void> {
    const { id, type } = message;
    const sender = this.#senders[by] as PlainSender;
    const exchange = `${this.#options.prefix}.inbound`;
    const plain = { exchange, routingKey: type, id, type, body: JSON.stringify(body) };
    return this.#untilKnown(message, () => sender.send(plain));
  }

  async #inTurn(
    numbers: readonly number[],
    send: (number: number) => Promise<void>,
  ): Promise<void> {
    for (const number of numbers) {
      await send(number);
      await sleep(this.#chance.below(150));
    }
  }

  /** Repeats a message until it was accepted, and now and then once more: a sender that has forgotten. */
  async #untilKnown(message: Accepted, send: () => Promise<Answer>): Promise<void> {
    const { id } = message;
    this.#waiting.add(id);
    const times = this.#chance.oneIn(repeatOneIn) ? 2 : 1;
    for (let copies = 1; copies <= times && !this.#stopped; copies += 1) {
      const answer = await this.#patiently(send);
      if (answer === "refused") break;
      if (answer) this.accepted.set(id, { ...message, copies });
    }
    this.#waiting.delete(id);
  }

  async #patiently(send: () => Promise<Answer>): Promise<Answer> {
    for (;;) {
      const answer = await send();
      if (answer !== false || this.#stopped) return answer;
      await sleep(againMs);
    }
  }

  /** One request to one of the processes: whether it was accepted. That an instance has ended will not change. */
  async #ask({ id, method, path, body }: HttpRequest): Promise<Answer> {
    const urls = this.#options.urls();
    this.#requests += 1;
    const url = urls[this.#requests % Math.max(1, urls.length)];
    if (url === undefined) return false;
    const headers = { "content-type": "application/json", "idempotency-key": id };
    try {
      const signal = AbortSignal.timeout(requestMs);
      const answer = await fetch(url + path, {
        method,
        headers,
        body: JSON.stringify(body),
        signal,
      });
      const text = await answer.text();
      return answer.status === 409 && text.includes('"ended"') ? "refused" : answer.ok;
    } catch {
      return false;
    }
  }
}
