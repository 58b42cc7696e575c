import { setTimeout as sleep } from "node:timers/promises";
import { partitionOf } from "../../../src/routing.ts";

const everyMs = 150;
const answerMs = 1_500;
const headers = { "content-type": "application/json" };

interface Pulse {
  readonly id: string;
  /** When an answer came, in monotonic milliseconds. */
  readonly answers: number[];
}

/** How long partitions did nothing, in milliseconds. */
export interface Silence {
  readonly median: number;
  readonly longest: number;
}

/** Sends an event to an instance in every partition all the time, over HTTP: whatever is handled is answered. */
export class Pulses {
  readonly #urls: () => readonly string[];
  readonly #pulses: readonly Pulse[];
  #beating: readonly Promise<void>[] = [];
  #ending = new AbortController();
  #beats = 0;

  constructor(urls: () => readonly string[], partitions: number) {
    this.#urls = urls;
    this.#pulses = Array.from({ length: partitions }, (_, partition) => {
      let number = 0;
      while (partitionOf(`pulse/p${number}`, partitions) !== partition) number += 1;
      return { id: `p${number}`, answers: [] };
    });
  }

  /** Resolves once there is an answer from every partition; after `stop` it begins anew. */
  async start(): Promise<void> {
    this.#ending = new AbortController();
    for (const { id } of this.#pulses) {
      while (!(await this.#ask("PUT", id, {}))) await sleep(everyMs);
    }
    for (const { answers } of this.#pulses) answers.length = 0;
    this.#beating = this.#pulses.map((pulse) => this.#beat(pulse));
    await this.until(performance.now(), 30_000);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#beating);
  }

  /** Resolves when every partition has answered what was sent after `since`. */
  async until(since: number, withinMs: number): Promise<void> {
    const endsAt = performance.now() + withinMs;
    // An answer that came later than that was asked for later.
    const safely = since + answerMs;
    while (this.#pulses.some(({ answers }) => (answers.at(-1) ?? 0) < safely)) {
      if (performance.now() > endsAt)
        throw new Error(`no work for ${withinMs} ms: ${this.#lastAnswers()}`);
      await sleep(20);
    }
  }

  /** The longest silence of each partition that ended after `since`: their median and the longest of all. */
  silence(since: number): Silence {
    const silences = this.#pulses
      .map(({ answers }) => {
        const pauses = answers.map((at, index) =>
          at < since ? 0 : at - (answers[index - 1] ?? at),
        );
        return Math.round(Math.max(...pauses));
      })
      .toSorted((one, other) => one - other);
    return { median: silences[silences.length >> 1] ?? 0, longest: silences.at(-1) ?? 0 };
  }

  #lastAnswers(): string {
    const now = performance.now();
    const since = this.#pulses.map(({ id, answers }) => `${id} ${now - (answers.at(-1) ?? 0)}`);
    return `ms since the last answer: ${since.join(", ")}`;
  }

  /** Does not wait for answers: one that hangs must not keep the next event back. */
  async #beat({ id, answers }: Pulse): Promise<void> {
    const open = new Set<Promise<void>>();
    while (!this.#ending.signal.aborted) {
      this.#beats += 1;
      const body = { type: "pulse.beat", sender: "pulse", number: this.#beats };
      const asked = this.#ask("POST", id, body).then((done) => {
        if (done) answers.push(performance.now());
        open.delete(asked);
      });
      open.add(asked);
      await sleep(everyMs);
    }
    await Promise.all(open);
  }

  async #ask(method: "PUT" | "POST", id: string, body: unknown): Promise<boolean> {
    const urls = this.#urls();
    const url = urls[this.#beats % Math.max(1, urls.length)];
    const path = `/workflows/pulse/instances/${id}${method === "POST" ? "/events" : ""}`;
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(answerMs)]);
    try {
      const text = JSON.stringify(body);
      const answer = await fetch(`${url}${path}`, { method, headers, body: text, signal });
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      return false;
    }
  }
}
