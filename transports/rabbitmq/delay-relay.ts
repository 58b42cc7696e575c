import type { Cancel, Clock } from "../../src/clock.ts";
import type { Message } from "../../src/message.ts";
import type { Confirmation, ConsumeOptions, Consumer, Delivery } from "../../src/transport.ts";
import { type DelayPlan, localMs, planOf } from "./delay-plan.ts";
import type { DelayQueues } from "./delay-queues.ts";
import type { Names } from "./names.ts";
import type { Posting } from "./posting.ts";

export interface DelayRelayOptions {
  readonly names: Names;
  readonly user: string;
  /** Unlike that of any other transport. */
  readonly id: string;
  readonly clock: Clock;
  readonly queues: DelayQueues;
  readonly publish: (postings: readonly Posting[]) => Promise<readonly Confirmation[]>;
  /** Told when its consumer has ended without a `close()`; it does nothing more then. */
  readonly lost: (reason: string) => void;
}

interface Passing {
  readonly delivery: Delivery;
  readonly posting: Posting;
}

const prefetch = 2_000;
const retryMs = 200;

/**
 * Takes what comes out of the delay queues, for the messages of one user: sends what is left of a delay through a
 * shorter queue, waits for the last milliseconds itself, and publishes the message to its target. Queues and process
 * together hold it for at least its delay, whatever the clocks of the processes say; for the one that sent it, its own
 * clock makes that exact.
 */
export class DelayRelay {
  readonly #options: DelayRelayOptions;
  readonly #timers = new Set<Cancel>();
  #consumer: Consumer | undefined;
  #passing: Passing[] = [];
  #stopped = false;

  constructor(options: DelayRelayOptions) {
    this.#options = options;
  }

  async start(consume: (options: ConsumeOptions) => Promise<Consumer>): Promise<void> {
    this.#consumer = await consume({
      queue: this.#options.names.delayed,
      prefetch,
      deliver: (delivery) => this.#arrived(delivery),
      lost: (reason) => {
        this.#stop();
        this.#options.lost(reason);
      },
    });
  }

  /** What it has not passed on yet is delivered to another one. */
  async close(): Promise<void> {
    this.#stop();
    await this.#consumer?.close();
  }

  #stop(): void {
    this.#stopped = true;
    this.#passing = [];
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  #arrived(delivery: Delivery): void {
    const { user, id, clock } = this.#options;
    const planned = delivery.message.userId === user ? planOf(delivery.message) : undefined;
    // Published here as this user, so what another one has put there goes no further.
    if (planned === undefined) return this.#setAside({ delivery, message: delivery.message });
    const { plan, message } = planned;
    const now = clock.monotonic();
    const due = plan.sender === id ? plan.due : now + plan.restMs;
    if (due - now > localMs) void this.#hop({ delivery, plan, message, due });
    else this.#passAt(due, { delivery, posting: targetOf(plan, message) });
  }

  async #hop(step: {
    readonly delivery: Delivery;
    readonly plan: DelayPlan;
    readonly message: Message;
    readonly due: number;
  }): Promise<void> {
    try {
      const posting = await this.#options.queues.next(step.message, step.plan, step.due);
      this.#pass({ delivery: step.delivery, posting });
    } catch {
      this.#after(retryMs, () => void this.#hop(step));
    }
  }

  /** Timers may fire a fraction early, so each is looked at again. */
  #passAt(due: number, passing: Passing): void {
    const leftMs = Math.ceil(due - this.#options.clock.monotonic());
    if (leftMs <= 0) this.#pass(passing);
    else this.#after(leftMs, () => this.#passAt(due, passing));
  }

  #setAside({
    delivery,
    message,
  }: {
    readonly delivery: Delivery;
    readonly message: Message;
  }): void {
    const { names } = this.#options;
    const posting = { exchange: "", routingKey: names.unrouted, mandatory: true, message };
    this.#pass({ delivery, posting });
  }

  #pass(passing: Passing): void {
    if (this.#stopped) return;
    this.#passing.push(passing);
    if (this.#passing.length === 1) this.#options.clock.soon(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    const passing = this.#passing;
    this.#passing = [];
    const outcome = await this.#options.publish(passing.map(({ posting }) => posting));
    if (this.#stopped) return;
    const done = passing.filter((_, index) => outcome[index] === "confirmed");
    this.#consumer?.ack(done.map(({ delivery }) => delivery));
    for (const [index, each] of passing.entries()) {
      if (outcome[index] === "failed") this.#after(retryMs, () => this.#pass(each));
      if (outcome[index] === "returned") this.#returned(each);
    }
  }

  #returned({ delivery, posting }: Passing): void {
    const { names, queues } = this.#options;
    const isHop = posting.routingKey === names.delayed;
    if (!isHop && posting.routingKey !== names.unrouted) {
      return this.#setAside({ delivery, message: posting.message });
    }
    queues.forget();
    this.#after(retryMs, () => this.#arrived(delivery));
  }

  #after(delayMs: number, task: () => void): void {
    if (this.#stopped) return;
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      if (!this.#stopped) task();
    });
    this.#timers.add(cancel);
  }
}

function targetOf({ exchange, routingKey }: DelayPlan, message: Message): Posting {
  return { exchange, routingKey, mandatory: exchange === "", message };
}
