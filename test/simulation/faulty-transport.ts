import type { Cancel } from "../../src/clock.ts";
import type {
  Confirmation,
  ConsumeOptions,
  Consumer,
  Delivery,
  Outgoing,
  Topology,
  Transport,
  TransportState,
} from "../../src/transport.ts";
import type { MemoryBroker } from "../../transports/memory/broker.ts";
import { MemoryTransport } from "../../transports/memory/transport.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import { Line } from "./line.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";

export interface FaultyTransportOptions {
  readonly broker: MemoryBroker;
  readonly user: string;
  readonly process: SimulatedProcess;
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly inboxWindowMs: number;
  /** Told of each delivery that the process acknowledges, at that moment. */
  readonly acknowledged?: (delivery: Delivery) => void;
}

/** Longer inbox windows do not end within a simulation. */
const longestWindowMs = 10_000;
/** How long a broker takes to notice that nobody is there any more: no heartbeat came. */
const heartbeatMs = 2_000;

/**
 * One process's connection to the broker. In both directions things take time and keep their order; what is sent
 * may get through in part, once more or without an answer, and the connection may break.
 */
export class FaultyTransport implements Transport {
  readonly user: string;
  readonly #options: FaultyTransportOptions;
  readonly #inner: MemoryTransport;
  readonly #up: Line;
  readonly #down: Line;

  constructor(options: FaultyTransportOptions) {
    const { broker, user, scheduler, chance } = options;
    this.user = user;
    this.#options = options;
    this.#inner = new MemoryTransport(broker, { user });
    this.#up = new Line(scheduler, chance);
    this.#down = new Line(scheduler, chance);
  }

  open(): Promise<void> {
    return this.#inner.open();
  }

  declare(topology: Topology): Promise<void> {
    return this.#request(() => this.#inner.declare(topology));
  }

  depth(queue: string): Promise<number> {
    return this.#request(() => this.#inner.depth(queue));
  }

  state(): TransportState {
    return this.#inner.state();
  }

  watch(listener: (state: TransportState) => void): Cancel {
    const { process } = this.#options;
    return this.#inner.watch((state) => process.enter("io", () => listener(state)));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  publish(batch: readonly Outgoing[]): Promise<readonly Confirmation[]> {
    const { process, chance, faults, scheduler } = this.#options;
    const fate = faults.publish();
    if (fate !== "done") this.#say(`broker ${fate}: ${batch.map(idOf).join(" ")}`);
    const extraMs = fate === "slow" ? chance.between(10, 700) : 0;
    return process.gate((resolve) => {
      if (fate === "ghost") {
        scheduler.at(chance.between(50, 3_000), () => void this.#inner.publish(batch));
        return this.#down.send(() => resolve(batch.map(() => "failed")), chance.between(1, 60));
      }
      this.#up.send(() => {
        void this.#arrive(batch, fate).then((answer) => this.#down.send(() => resolve(answer)));
      }, extraMs);
    });
  }

  consume(options: ConsumeOptions): Promise<Consumer> {
    const { scheduler, chance } = this.#options;
    return this.#request(
      () => this.#consumeNow(options),
      (tell) => {
        // Deliveries may overtake the answer on the way from the socket to the code that waits for it.
        if (chance.hit(0.25)) scheduler.at(chance.between(2, 20), tell);
        else this.#down.send(tell);
      },
    );
  }

  /** The connection breaks, and is made again `downMs` later, or once the process runs again. */
  sever(reason: string, downMs: number): void {
    if (this.#inner.state().status !== "up") return;
    this.#say(`connection lost: ${reason}`);
    void this.#inner.sever(reason);
    this.#restoreAfter(downMs);
  }

  /** The process is gone; what it had sent shortly before may still arrive. */
  cutOff(): void {
    const { scheduler, chance } = this.#options;
    scheduler.at(chance.between(0, 3), () => void this.#inner.close());
  }

  /** The broker misses the heartbeats of a frozen process. */
  fallSilent(): void {
    const { scheduler, process } = this.#options;
    scheduler.at(heartbeatMs, () => {
      if (process.state === "frozen") this.sever("missed heartbeats", 10);
    });
  }

  #restoreAfter(downMs: number): void {
    const { scheduler, process } = this.#options;
    scheduler.at(downMs, () => {
      if (process.state === "dead" || this.#inner.state().reason === "closed") return;
      if (process.state === "frozen") this.#restoreAfter(50);
      else void this.#inner.restore();
    });
  }

  async #arrive(batch: readonly Outgoing[], fate: string): Promise<readonly Confirmation[]> {
    const { chance, scheduler } = this.#options;
    if (fate === "nacked" || fate === "returned") return this.#withhold(batch, fate);
    if (fate !== "cut" && fate !== "severed") {
      const outcome = await this.#deliver(batch);
      const chosen = chance.below(batch.length);
      if (fate === "unconfirmed") return outcome.with(chosen, "failed");
      const again = outcome[chosen] === "confirmed" ? batch.slice(chosen, chosen + 1) : [];
      if (fate === "doubled") {
        scheduler.at(this.#copyLateMs(), () => void this.#inner.publish(again));
      }
      return outcome;
    }
    const arrived = chance.below(batch.length + 1);
    const confirmed = chance.below(arrived + 1);
    const outcome = await this.#deliver(batch.slice(0, arrived));
    if (fate === "severed") this.sever("cut while publishing", chance.between(20, 900));
    return batch.map((_, index) => (index < confirmed ? (outcome[index] ?? "failed") : "failed"));
  }

  /**
   * Hands a batch to the broker, but not one message nor what follows it to the same queue: a queue takes what one
   * channel sends in order or not at all. Only what goes to a named queue can be returned.
   */
  async #withhold(
    batch: readonly Outgoing[],
    fate: "nacked" | "returned",
  ): Promise<readonly Confirmation[]> {
    const first = this.#options.chance.below(batch.length);
    if (fate === "returned" && batch[first]?.exchange !== "") return this.#deliver(batch);
    const isWithheld = (outgoing: Outgoing, index: number) =>
      index >= first && targetOf(outgoing) === targetOf(batch[first]);
    const taken = batch.filter((outgoing, index) => !isWithheld(outgoing, index));
    const outcome = [...(await this.#deliver(taken))];
    return batch.map((outgoing, index) => {
      if (isWithheld(outgoing, index)) return fate === "nacked" ? "failed" : "returned";
      return outcome.shift() ?? "failed";
    });
  }

  /** Now and then a copy turns up when the inboxes have forgotten its message. */
  #copyLateMs(): number {
    const { chance, inboxWindowMs } = this.#options;
    if (inboxWindowMs > longestWindowMs || !chance.hit(0.6)) return chance.between(1, 1_500);
    return chance.between(2 * inboxWindowMs, 4 * inboxWindowMs);
  }

  /** Hands a batch to the broker, without the wake-ups that get lost behind it. */
  async #deliver(batch: readonly Outgoing[]): Promise<readonly Confirmation[]> {
    const { faults } = this.#options;
    const kept = batch.filter(({ delayMs }) => delayMs === undefined || !faults.loseHint());
    const outcome = await this.#inner.publish(kept);
    return batch.map((outgoing) => {
      const index = kept.indexOf(outgoing);
      return index < 0 ? "confirmed" : (outcome[index] ?? "failed");
    });
  }

  async #consumeNow(options: ConsumeOptions): Promise<Consumer> {
    const { process } = this.#options;
    let ended = false;
    const comeDown = (task: () => void) =>
      this.#down.send(() =>
        process.enter("io", () => {
          if (!ended) task();
        }),
      );
    const consumer = await this.#inner.consume({
      ...options,
      deliver: (delivery) => comeDown(() => options.deliver(delivery)),
      lost: (reason) =>
        comeDown(() => {
          ended = true;
          options.lost(reason);
        }),
    });
    return {
      ack: (deliveries: readonly Delivery[]) => {
        for (const delivery of deliveries) this.#options.acknowledged?.(delivery);
        this.#up.send(() => consumer.ack(deliveries));
      },
      close: () => {
        ended = true;
        return this.#request(() => consumer.close());
      },
    };
  }

  #request<T>(
    ask: () => Promise<T>,
    answer = (tell: () => void) => this.#down.send(tell),
  ): Promise<T> {
    return this.#options.process.gate<T>((resolve, reject) => {
      this.#up.send(() => {
        ask().then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error)),
        );
      });
    });
  }

  #say(what: string): void {
    this.#options.trace.say(this.#options.process.name, what);
  }
}

function targetOf(outgoing: Outgoing | undefined): string | undefined {
  return outgoing?.exchange === "" ? outgoing.routingKey : outgoing?.exchange;
}

function idOf({ message }: Outgoing): string {
  return message.id ?? message.type ?? "?";
}
