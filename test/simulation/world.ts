import type { Clock } from "../../src/clock.ts";
import { ActivityWorker } from "../../src/engine/activities/worker.ts";
import { Engine, enginePorts } from "../../src/engine/engine.ts";
import { defaultLimits } from "../../src/engine/limits.ts";
import type { EnginePorts } from "../../src/engine/ports.ts";
import type { Ids } from "../../src/ids.ts";
import type { Observation } from "../../src/observer.ts";
import type { Store } from "../../src/store.ts";
import type { Delivery, Transport } from "../../src/transport.ts";
import { MemoryBroker } from "../../transports/memory/broker.ts";
import { activitiesFor, boundTo } from "./activities.ts";
import { Chance, seededIds } from "./chance.ts";
import { lostSuccess } from "./ending-check.ts";
import { Faults } from "./faults.ts";
import { faultyStore } from "./faulty-store.ts";
import { FaultyTransport } from "./faulty-transport.ts";
import type { Mutant } from "./mutants.ts";
import { epochMs, SimulatedProcess } from "./process.ts";
import { Recorder } from "./recorder.ts";
import { Scheduler } from "./scheduler.ts";
import { StoreServer } from "./store-server.ts";
import { Tail } from "./tail.ts";
import { Trace } from "./trace.ts";
import { type CodeBase, workflowsOf } from "./workflows.ts";

export const partitions = 4;
export const prefix = "waybill";
/** Short enough for messages to outlive it. */
const shortWindowMs = 2_000;

/** A process with its connections. */
export interface Host {
  readonly process: SimulatedProcess;
  readonly wire: FaultyTransport;
  readonly transport: Transport;
  readonly ports: EnginePorts;
}

export interface WorldOptions {
  readonly seed: number;
  readonly traced: boolean;
  readonly mutant: Mutant | undefined;
}

/** Everything that a simulation consists of: time, chance, one broker, one store, and processes that come and go. */
export class World {
  readonly scheduler = new Scheduler();
  readonly chance: Chance;
  readonly ids: Ids;
  readonly trace: Trace;
  readonly faults: Faults;
  readonly recorder: Recorder;
  readonly broker: MemoryBroker;
  readonly server: StoreServer;
  /** The store syncs its file once a second, and says so. */
  readonly isEverySecond: boolean;
  readonly tail: Tail;
  readonly inboxWindowMs: number;
  readonly hosts = new Set<Host>();
  /** Is told when a process has claimed a partition. */
  claimed: () => void = () => undefined;
  /** For a mutant: partition queues that a wake-up has come to. */
  readonly hinted = new Set<string>();
  /** By process: the epochs by which it believes to own partitions. */
  readonly #believed = new Map<string, Map<number, number>>();
  readonly #store: Store;
  readonly #mutant: Mutant | undefined;
  #booted = 0;
  #settled = false;

  constructor({ seed, traced, mutant }: WorldOptions) {
    this.chance = new Chance(seed);
    this.ids = seededIds(this.chance);
    this.trace = new Trace(this.scheduler, traced);
    this.faults = new Faults(this.chance);
    this.inboxWindowMs = this.chance.hit(0.2) ? shortWindowMs : defaultLimits.inboxWindowMs;
    this.server = new StoreServer(this.scheduler);
    this.recorder = new Recorder(this.server, this.trace);
    this.isEverySecond = this.chance.hit(0.2);
    this.tail = new Tail(this.recorder, this.scheduler);
    this.broker = new MemoryBroker({ clock: this.#brokerClock() });
    this.#mutant = mutant;
    this.#store = mutant?.store?.(this.recorder, this) ?? this.recorder;
  }

  /** Whether messages can outlive what inboxes remember. */
  get isShortOfMemory(): boolean {
    return this.inboxWindowMs === shortWindowMs;
  }

  /** Whether the end of the store's log is lost when power fails. */
  get mayForget(): boolean {
    return this.isEverySecond || this.#mutant?.isUnsynced === true;
  }

  /** Starts a process whose connections belong to `user`. */
  async host(role: string, options: { user?: string; code?: CodeBase } = {}): Promise<Host> {
    this.#booted += 1;
    const { user = prefix, code = "both" } = options;
    const { scheduler, chance, faults, trace, broker, ids, server, inboxWindowMs } = this;
    const { recorder, tail } = this;
    const process = new SimulatedProcess({ name: `${role}-${this.#booted}`, scheduler, chance });
    const shared = { process, scheduler, chance, faults, trace, server, inboxWindowMs };
    const acknowledged = (delivery: Delivery) => this.#acknowledged(delivery);
    const wire = new FaultyTransport({ ...shared, broker, user, acknowledged });
    await wire.open();
    const transport = user === prefix ? (this.#mutant?.transport?.(wire, this) ?? wire) : wire;
    const ports = enginePorts({
      workflows: boundTo(this, process, workflowsOf[code]),
      store: faultyStore({ ...shared, store: this.#store, answered: recorder.answered, tail }),
      transport,
      prefix,
      partitions,
      clock: process.clock,
      limits: { inboxWindowMs },
      ids,
      observer: { observe: (observation) => this.#observe(process, observation) },
    });
    const host = { process, wire, transport, ports };
    this.hosts.add(host);
    trace.say(process.name, `boots with ${code} code`);
    return host;
  }

  async engine(code: CodeBase): Promise<{ readonly host: Host; readonly engine: Engine }> {
    const host = await this.host("engine", { code });
    return { host, engine: new Engine(host.ports) };
  }

  async worker(): Promise<{ readonly host: Host; readonly worker: ActivityWorker }> {
    const host = await this.host("worker");
    const activities = activitiesFor(this, host.process);
    return { host, worker: new ActivityWorker(host.ports, { activities, concurrency: 4 }) };
  }

  /** From now on, or no longer, everything is quiet enough for partitions to stay where they are. */
  settle(isQuiet: boolean): void {
    this.#settled = isQuiet;
  }

  kill(host: Host): void {
    this.trace.say(host.process.name, "is killed");
    host.process.kill();
    host.wire.cutOff();
    this.hosts.delete(host);
  }

  /** Never frozen, never wrong. */
  #brokerClock(): Clock {
    const { scheduler } = this;
    return {
      monotonic: () => scheduler.now,
      wall: () => epochMs + scheduler.now,
      after: (delayMs, task) => scheduler.at(delayMs, task),
      soon: (task) => void scheduler.at(0, task),
    };
  }

  /** Who owns what by the store, and who believes that he does. */
  owners(): string {
    const now = this.server.now();
    const rows = this.recorder.data.partitions.map(({ epoch, leaseUntil }, partition) => {
      const believers = [...this.hosts].flatMap(({ process: { name, state } }) => {
        const believed = this.#believed.get(name)?.get(partition);
        if (believed === undefined) return [];
        return `${name}${state === "frozen" ? " (frozen)" : ""} by epoch ${believed}`;
      });
      const lease = leaseUntil > now ? `leased for ${leaseUntil - now} ms` : "free";
      return `p${partition}: epoch ${epoch}, ${lease}, held by ${believers.join(" and ") || "nobody"}`;
    });
    return rows.join("; ");
  }

  #changeHands(process: string, happened: Extract<Observation, { kind: "partition" }>): void {
    const { partition, reason, change, epoch } = happened;
    this.faults.count(`partition ${change}`);
    this.tail.handedOver(process, happened);
    const believed = this.#believed.get(process) ?? new Map<number, number>();
    if (change === "claimed") {
      believed.set(partition, epoch);
      this.claimed();
    } else believed.delete(partition);
    this.#believed.set(process, believed);
    if (!this.#settled) return;
    this.recorder.violate(`p${partition} was ${change} in quiet times: ${reason}`);
  }

  #acknowledged({ message }: Delivery): void {
    // A store that has forgotten commits waits again for what they had applied.
    if (this.tail.hasLost) return;
    const lost = lostSuccess(this.recorder.data, message);
    if (lost !== undefined) this.recorder.violate(lost);
  }

  #observe(process: SimulatedProcess, observation: Observation): void {
    const { kind } = observation;
    if (kind === "committed") return;
    const { name } = process;
    if (kind === "dead-letter") this.faults.count(`dead letter: ${observation.reason}`);
    if (kind === "rollback") this.tail.reported(observation);
    if (kind === "partition") this.#changeHands(name, observation);
    this.trace.say(name, JSON.stringify(observation));
  }
}
