import { carryingBaggage } from "../baggage.ts";
import type { Clock } from "../clock.ts";
import { systemClock } from "../clock.ts";
import { WaybillError } from "../errors.ts";
import type { Fail } from "../failpoint.ts";
import { type Ids, systemIds } from "../ids.ts";
import { type Observer, silentObserver } from "../observer.ts";
import { namesFor } from "../routing.ts";
import type { Store } from "../store.ts";
import { silentTracer, type Tracer } from "../tracer.ts";
import type { Queue, Transport } from "../transport.ts";
import type { Workflow } from "../workflow.ts";
import { jumpMessage } from "./health/setting-findings.ts";
import type { PartitionVitals } from "./health/vitals.ts";
import type { Holdings } from "./holdings.ts";
import { Ingress, ingressBindings } from "./ingress.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { Ownership } from "./ownership.ts";
import type { EnginePorts } from "./ports.ts";
import { Registry } from "./registry.ts";
import { Rollbacks } from "./rollbacks.ts";
import { StoreClock } from "./store-clock.ts";
import { TimeSlices } from "./time-slices.ts";
import { TrialRoom } from "./trial-room.ts";

export interface EngineOptions {
  readonly workflows: readonly Workflow[];
  readonly store: Store;
  readonly transport: Transport;
  /** First part of every queue's name. `waybill` when not given. */
  readonly prefix?: string;
  /** Fixed for the life of the stored data. 8 when not given. */
  readonly partitions?: number;
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly observer?: Observer;
  readonly tracer?: Tracer;
  /** Which keys of W3C baggage travel on with messages; none when not given. */
  readonly baggage?: readonly string[];
  readonly limits?: Partial<Limits>;
  /** For tests: is called at each step between which a process may end, and may end it there. */
  readonly fail?: Fail;
}

/** The ports of an engine with every default filled in. */
export function enginePorts(options: EngineOptions): EnginePorts {
  const { clock = systemClock, ids = systemIds } = options;
  const observer = guarded(options.observer ?? silentObserver);
  const jumped = (byMs: number) =>
    observer.observe({ kind: "clock-jump", byMs, message: jumpMessage(byMs) });
  return {
    store: options.store,
    transport: options.transport,
    clock,
    ids,
    observer,
    tracer: carryingBaggage(options.tracer ?? silentTracer, options.baggage ?? []),
    registry: new Registry(options.workflows),
    names: namesFor(options.prefix ?? "waybill"),
    partitions: options.partitions ?? 8,
    storeClock: new StoreClock(clock, jumped),
    rollbacks: new Rollbacks(observer),
    trialRoom: new TrialRoom(ids.next()),
    slices: new TimeSlices(clock),
    limits: { ...defaultLimits, ...options.limits },
    fail: options.fail,
  };
}

/** An observer whose mistakes harm nobody. */
function guarded(observer: Observer): Observer {
  return {
    observe(observation, trace) {
      try {
        observer.observe(observation, trace);
      } catch {}
    },
  };
}

/**
 * Runs the instances of its workflows: owns its share of the partitions and processes their messages, timers and
 * local activities. Store and transport are open when it starts, and are the caller's to close after it has stopped.
 */
export class Engine {
  readonly #ports: EnginePorts;
  readonly #ownership: Ownership;
  readonly #ingress: Ingress;
  #state: "new" | "running" | "stopped" = "new";

  constructor(ports: EnginePorts) {
    this.#ports = ports;
    this.#ownership = new Ownership(ports);
    this.#ingress = new Ingress(ports);
  }

  /** The partitions that this process owns now. */
  get owned(): readonly number[] {
    return this.#ownership.owned;
  }

  /** What is in this process's memory for each partition that it owns now. */
  get holdings(): readonly Holdings[] {
    return this.#ownership.holdings;
  }

  /** What can be told of each of them without asking anybody. */
  get vitals(): readonly PartitionVitals[] {
    return this.#ownership.vitals;
  }

  /** Declares the topology, claims what is free and begins to work. */
  async start(): Promise<void> {
    if (this.#state !== "new") {
      throw new WaybillError({
        code: "already-started",
        message: "This engine was started before.",
        action: "Make another one.",
      });
    }
    this.#state = "running";
    const { transport } = this.#ports;
    await transport.declare(topologyOf(this.#ports));
    await this.#ownership.start();
    await this.#ingress.start();
  }

  /** Finishes the batches under way, hands its partitions over and resolves within about `deadlineMs`. */
  async stop(deadlineMs = 8_000): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    await this.#ingress.stop();
    await this.#ownership.stop(deadlineMs);
  }
}

/** Every queue and binding that the workflows need. */
export function topologyOf(ports: EnginePorts): {
  queues: Queue[];
  bindings: ReturnType<typeof ingressBindings>;
} {
  const { names, partitions, registry } = ports;
  const queues: Queue[] = [{ name: names.ingress, kind: "ingress" }];
  for (let partition = 0; partition < partitions; partition += 1) {
    queues.push({ name: names.partition(partition), kind: "partition" });
  }
  for (const { workflow } of registry.all()) {
    for (const [source, { options }] of workflow.activities) {
      if (!options.local)
        queues.push({ name: names.activity(workflow.name, source), kind: "work" });
    }
  }
  return { queues, bindings: ingressBindings(ports) };
}
