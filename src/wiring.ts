import { type Cancel, systemClock } from "./clock.ts";
import { type Configuration, complete, type Role } from "./configuration.ts";
import { type Connections, openConnections, openPatiently } from "./connections.ts";
import {
  ActivityWorker,
  queuedActivities,
  type WorkerActivities,
} from "./engine/activities/worker.ts";
import type { Client } from "./engine/client.ts";
import { Engine, type EngineOptions, enginePorts, topologyOf } from "./engine/engine.ts";
import type { Limits } from "./engine/limits.ts";
import type { EnginePorts } from "./engine/ports.ts";
import { EngineClient, type EngineClientOptions } from "./engine/requests/engine-client.ts";
import { WaybillError } from "./errors.ts";
import type { Fail } from "./failpoint.ts";
import { lateClient } from "./late-client.ts";
import type { Observer } from "./observer.ts";
import type { Tracer } from "./tracer.ts";
import type { Transport } from "./transport.ts";
import type { Workflow } from "./workflow.ts";

const defaultConcurrency = 100;
const tellMs = 2_000;

/** What every part of an application is told: where broker and store are, and which workflows there are. */
export interface ApplicationOptions extends Partial<Configuration> {
  readonly workflows: readonly Workflow[];
  readonly observer?: Observer;
  readonly tracer?: Tracer;
  readonly limits?: Partial<Limits>;
  /** For tests: is called at each step between which a process may end, and may end it there. */
  readonly fail?: Fail;
}

/** A part of an application that is started once and stopped once. */
export interface Lifecycle {
  start(): Promise<void>;
  /** Finishes what is under way and lets go of everything; stopping twice does no harm. */
  stop(): Promise<void>;
}

/** What happens between reaching broker and store and taking up work. */
export interface StartOptions {
  /** The place to start services of this process: nothing has been published to them yet. */
  readonly before?: () => Promise<void>;
}

/** What a process does in its roles, and its client. */
export interface RunningEngine extends Lifecycle {
  /** While broker and store are not reached yet it refuses with `unavailable`, and its health says why. */
  readonly client: Client;
  /** Resolves once it is at work. While broker or store are away it goes on trying, until it is stopped. */
  start(options?: StartOptions): Promise<void>;
  /** A connection to the same broker under another name, for services in this process. */
  connect(user: string): Transport;
}

/**
 * Makes an engine that runs instances of the given workflows. Without the role `engine` it owns none and is a client
 * of those that do; with `activities` it runs the queued activities whose code is here.
 * @throws WaybillError `invalid-configuration` at once; from `start()`: `store-in-use`, `partition-count`.
 * @example
 * const engine = createEngine({ workflows: [hello], store: "sqlite:./hello.db" });
 * await engine.start();
 * await engine.client.start({ workflow: "hello", input: { name: "Ada" } });
 */
export function createEngine(options: ApplicationOptions): RunningEngine {
  const part = new Part(options);
  let engine: Engine | undefined;
  let worker: ActivityWorker | undefined;
  return {
    client: part.client,
    connect: (user) => part.connections.connect(user),
    async start({ before } = {}) {
      try {
        const ports = await part.openPatiently();
        await before?.();
        const runs = part.roles.includes("engine");
        if (runs) {
          engine = new Engine(ports);
          await engine.start();
        } else {
          await ports.transport.declare(topologyOf(ports));
        }
        worker = await startWorker(ports, part.roles);
        const own = { owned: () => engine?.owned ?? [], vitals: () => engine?.vitals ?? [] };
        await part.openClient({ watches: true, ...(runs && own) });
      } catch (error) {
        await this.stop();
        throw error;
      }
    },
    async stop() {
      await worker?.stop();
      await engine?.stop();
      await part.close();
    },
  };
}

/** Runs the queued activities whose code is here, when that is among this process's roles. */
async function startWorker(
  ports: EnginePorts,
  roles: readonly Role[],
): Promise<ActivityWorker | undefined> {
  const activities = queuedActivities(ports.registry);
  if (!roles.includes("activities") || Object.keys(activities).length === 0) return undefined;
  const worker = new ActivityWorker(ports, { activities, concurrency: defaultConcurrency });
  await worker.start();
  return worker;
}

/** A client with connections of its own. */
export interface OpenClient extends Client {
  /** Lets go of its connections; closing twice does no harm. */
  close(): Promise<void>;
}

/**
 * Opens a client for a process that runs no engine, or beside one that shares its store.
 * @throws WaybillError `invalid-configuration`, `store-in-use`, `partition-count`
 * @example
 * const client = await createClient({ workflows: [hello], store: "sqlite:./hello.db" });
 * const { items } = await client.list({ workflow: "hello", status: "active" });
 * await client.close();
 */
export async function createClient(options: ApplicationOptions): Promise<OpenClient> {
  const part = new Part(options);
  const ports = await part.open();
  // Whoever comes first makes the queues; beside an engine that is nothing new.
  await ports.transport.declare(topologyOf(ports));
  return part.openClient({ release: () => part.release() });
}

/**
 * Makes a worker that runs queued activities. It needs their code, not the machines.
 * @throws WaybillError `invalid-configuration`
 */
export function createWorker(
  options: Omit<ApplicationOptions, "workflows"> & {
    readonly activities: WorkerActivities;
    /** Activities that run at the same time. 100 when not given. */
    readonly concurrency?: number;
  },
): Lifecycle {
  const { activities, concurrency = defaultConcurrency } = options;
  const part = new Part({ ...options, workflows: [] });
  let worker: ActivityWorker | undefined;
  return {
    async start() {
      worker = new ActivityWorker(await part.openPatiently(), { activities, concurrency });
      await worker.start();
    },
    async stop() {
      await worker?.stop();
      await part.close();
    },
  };
}

/** The connections of one part, its ports and its client. */
class Part {
  readonly #options: ApplicationOptions;
  readonly #configuration: Configuration;
  #connections: Connections | undefined;
  #transport: Transport | undefined;
  #ports: ReturnType<typeof enginePorts> | undefined;
  #client: EngineClient | undefined;
  readonly #stopping = new AbortController();
  #isOpen = false;
  #absence = "it has not been started";
  /** Usable at any time. */
  readonly client: Client = lateClient({
    client: () => (this.#isOpen ? this.#client : undefined),
    reason: () => this.#absence,
  });

  constructor(options: ApplicationOptions) {
    this.#options = options;
    this.#configuration = complete(settingsOf(options));
  }

  get roles(): readonly Role[] {
    return this.#configuration.roles;
  }

  get connections(): Connections {
    return this.#connections ?? notStarted();
  }

  async open(): Promise<ReturnType<typeof enginePorts>> {
    return this.#openOn(await openConnections(this.#configuration));
  }

  /** Waits for the store as well, and tells why it has to. */
  async openPatiently(): Promise<ReturnType<typeof enginePorts>> {
    this.#absence = "it is being started";
    const { signal } = this.#stopping;
    const tell = (reason: string) => this.#wait("store", reason);
    const connections = await openPatiently(this.#configuration, { signal, tell });
    const cancel = this.#tellOfBroker();
    try {
      return await this.#openOn(connections);
    } finally {
      cancel();
    }
  }

  /** The transport goes on trying by itself; somebody has to say so. */
  #tellOfBroker(): Cancel {
    let cancel: Cancel | undefined;
    const again = () => {
      const { status, reason } = this.#transport?.state() ?? { status: "up" };
      if (status !== "up") this.#wait("transport", reason ?? "the broker has not answered yet");
      cancel = systemClock.after(tellMs, again);
    };
    again();
    return () => cancel?.();
  }

  #wait(where: "store" | "transport", reason: string): void {
    this.#absence = reason;
    this.#options.observer?.observe({ kind: "trouble", where, message: reason });
  }

  async #openOn(connections: Connections): Promise<ReturnType<typeof enginePorts>> {
    const { workflows, observer, tracer, limits, fail } = this.#options;
    const { prefix, partitions, baggage } = this.#configuration;
    this.#connections = connections;
    this.#transport = connections.connect(prefix);
    await this.#transport.open();
    const options: EngineOptions = {
      workflows,
      store: connections.store,
      transport: this.#transport,
      prefix,
      partitions,
      baggage,
      ...(observer !== undefined && { observer }),
      ...(tracer !== undefined && { tracer }),
      ...(limits !== undefined && { limits }),
      ...(fail !== undefined && { fail }),
    };
    this.#ports = enginePorts(options);
    return this.#ports;
  }

  async openClient(options: Omit<EngineClientOptions, "ports">): Promise<EngineClient> {
    const ports = this.#ports ?? notStarted();
    const durability = () => this.connections.durability();
    this.#client = new EngineClient({ ports, durability, ...options });
    await this.#client.open();
    this.#isOpen = true;
    return this.#client;
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#client?.close();
    await this.release();
  }

  async release(): Promise<void> {
    await this.#transport?.close();
    await this.#connections?.close();
  }
}

function settingsOf(options: ApplicationOptions): Partial<Configuration> {
  const {
    workflows: _,
    observer: __,
    tracer: ___,
    limits: ____,
    fail: _____,
    ...settings
  } = options;
  return settings;
}

function notStarted(): never {
  throw new WaybillError({
    code: "not-started",
    message: "This part of the application was not started yet.",
    action: "Await `start()` first.",
  });
}
