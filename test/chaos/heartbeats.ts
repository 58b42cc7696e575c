import { setTimeout as sleep } from "node:timers/promises";
import { instanceHeader } from "../../src/message.ts";
import { partitionOf } from "../../src/routing.ts";
import type { ChaosLab } from "./chaos-lab.ts";
import { PlainSender } from "./plain-amqp.ts";

const everyMs = 100;
/** Beats that may wait for a confirm: a broker that comes back must not drown in them. */
const mostWaiting = 20;
/** So many beats in a second mean that a partition is at work again. */
const steady = 5;

interface Heart {
  readonly partition: number;
  readonly id: string;
  /** When an effect of its beats came, in monotonic milliseconds. */
  readonly arrivals: number[];
  waiting: number;
}

/** An instance in each partition that is sent an event all the time, and emits one: shows who is at work. */
export class Heartbeats {
  readonly #lab: ChaosLab;
  readonly #sender: PlainSender;
  readonly #hearts: readonly Heart[];
  #beats = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(lab: ChaosLab) {
    this.#lab = lab;
    this.#sender = new PlainSender(lab.broker.url("guest"));
    this.#hearts = Array.from({ length: lab.partitions }, (_, partition) => {
      let number = 0;
      while (partitionOf(`pulse/h${number}`, lab.partitions) !== partition) number += 1;
      return { partition, id: `h${number}`, arrivals: [], waiting: 0 };
    });
  }

  get partitions(): readonly number[] {
    return this.#hearts.map(({ partition }) => partition);
  }

  /** Resolves once every partition is at work. */
  async start(): Promise<void> {
    this.#lab.sink.listener = (id) => {
      const heart = this.#hearts.find((one) => id.startsWith(`pulse/${one.id}/`));
      heart?.arrivals.push(performance.now());
    };
    for (const { id } of this.#hearts) await this.#lab.put(`/workflows/pulse/instances/${id}`, {});
    this.#timer = setInterval(() => this.#hearts.forEach((heart) => this.#beat(heart)), everyMs);
    await this.untilSteady(this.partitions, 30_000);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sender.close();
  }

  /** Resolves once these partitions have been at work for a second; false when they are not in time. */
  async untilSteady(partitions: readonly number[], withinMs: number): Promise<boolean> {
    const endsAt = performance.now() + withinMs;
    while (performance.now() < endsAt) {
      await sleep(50);
      const since = performance.now() - 1_000;
      const isSteady = ({ partition, arrivals }: Heart) =>
        !partitions.includes(partition) || (arrivals.at(-steady) ?? 0) > since;
      if (this.#hearts.every(isSteady)) return true;
    }
    return false;
  }

  /** How long after `from` the longest silence of these partitions ended, of those that ended after `from`. */
  silenceAfter(from: number, partitions: readonly number[]): number {
    const ends = this.#hearts.map(({ partition, arrivals }) => {
      if (!partitions.includes(partition)) return 0;
      const pauses = arrivals.map((at, index) => ({
        at,
        length: at < from ? 0 : at - (arrivals[index - 1] ?? at),
      }));
      const longest = pauses.reduce((left, right) => (right.length > left.length ? right : left));
      return longest.length === 0 ? 0 : longest.at - from;
    });
    return Math.max(...ends);
  }

  /** Forgets what has come so far. */
  forget(): void {
    for (const { arrivals } of this.#hearts) arrivals.splice(0, arrivals.length - steady);
  }

  #beat(heart: Heart): void {
    if (heart.waiting >= mostWaiting) return;
    heart.waiting += 1;
    this.#beats += 1;
    const { id, partition } = heart;
    const sent = this.#sender.send({
      exchange: "",
      routingKey: `${this.#lab.prefix}.p.${partition}`,
      headers: { [instanceHeader]: `pulse/${id}` },
      id: `${id}:${this.#beats}`,
      type: "pulse.beat",
      body: JSON.stringify({ sender: "h", number: this.#beats }),
    });
    void sent.then(() => {
      heart.waiting -= 1;
    });
  }
}
