import { vi } from "vitest";
import type { Clock } from "../../src/clock.ts";
import { ActivityWorker, type WorkerActivities } from "../../src/engine/activities/worker.ts";
import type { Client, DeadLetter, InstanceView } from "../../src/engine/client.ts";
import { Engine, enginePorts } from "../../src/engine/engine.ts";
import type { PartitionVitals } from "../../src/engine/health/vitals.ts";
import type { Limits } from "../../src/engine/limits.ts";
import type { EnginePorts } from "../../src/engine/ports.ts";
import { EngineClient } from "../../src/engine/requests/engine-client.ts";
import type { Observation } from "../../src/observer.ts";
import type { Store } from "../../src/store.ts";
import { silentTracer, type Tracer } from "../../src/tracer.ts";
import type { Workflow } from "../../src/workflow.ts";
import type { World } from "./world.ts";

export interface EngineSetup {
  readonly workflows: readonly Workflow[];
  readonly limits?: Partial<Limits>;
  readonly partitions?: number;
  readonly tracer?: Tracer;
}

/** One process with an engine and a client, over broker and store of a world. */
export interface RunningEngine {
  readonly client: Client;
  readonly ports: EnginePorts;
  /** All that the engine has told so far. */
  readonly observations: readonly Observation[];
  readonly owned: () => readonly number[];
  readonly vitals: () => readonly PartitionVitals[];
  /** Observations of one kind. */
  seen<Kind extends Observation["kind"]>(
    kind: Kind,
  ): readonly Extract<Observation, { kind: Kind }>[];
  /** Finishes and hands over. */
  stop(): Promise<void>;
  /** Ends as `kill -9` does: nothing is finished, nothing is said. */
  kill(): Promise<void>;
}

/** Starts the true engine. */
export async function startEngine(world: World, setup: EngineSetup): Promise<RunningEngine> {
  const observations: Observation[] = [];
  const life = { over: false };
  const { ports, transport } = await portsOf(world, setup, { life, observations });
  const engine = new Engine(ports);
  await engine.start();
  const client = new EngineClient({ ports, owned: () => engine.owned });
  await client.open();
  return {
    client,
    ports,
    observations,
    owned: () => engine.owned,
    vitals: () => engine.vitals,
    seen: (kind) => observations.filter((one): one is never => one.kind === kind),
    async stop() {
      if (life.over) return;
      await client.close();
      await engine.stop();
      await transport.close();
      life.over = true;
    },
    async kill() {
      life.over = true;
      await transport.sever("killed");
    },
  };
}

/** A client in a process without an engine. */
export async function startClient(
  world: World,
  setup: EngineSetup,
): Promise<{ readonly client: Client; readonly ports: EnginePorts; stop(): Promise<void> }> {
  const { ports, transport } = await portsOf(world, setup, {
    life: { over: false },
    observations: [],
  });
  const client = new EngineClient({ ports });
  await client.open();
  return {
    client,
    ports,
    async stop() {
      await client.close();
      await transport.close();
    },
  };
}

/** Starts a worker for queued activities; it stops, or dies like `kill -9`. */
export async function startWorker(
  world: World,
  activities: WorkerActivities,
  {
    partitions = 2,
    concurrency = 10,
    tracer = silentTracer,
  }: { partitions?: number; concurrency?: number; tracer?: Tracer } = {},
): Promise<{ stop(): Promise<void>; kill(): Promise<void> }> {
  const life = { over: false };
  const setup = { workflows: [], partitions, tracer };
  const { ports, transport } = await portsOf(world, setup, { life, observations: [] });
  const worker = new ActivityWorker(ports, { activities, concurrency });
  await worker.start();
  return {
    async stop() {
      await worker.stop();
      await transport.close();
    },
    async kill() {
      life.over = true;
      await transport.sever("killed");
    },
  };
}

async function portsOf(
  world: World,
  { workflows, limits = {}, partitions = 2, tracer = silentTracer }: EngineSetup,
  { life, observations }: { life: { over: boolean }; observations: Observation[] },
) {
  const store = mortal(world.store(), life);
  await store.open({ partitions });
  const transport = await world.connect("waybill");
  const ports = enginePorts({
    workflows,
    store,
    transport,
    partitions,
    limits,
    tracer,
    clock: mortalClock(world.clock, life),
    observer: { observe: (observation) => observations.push(observation) },
  });
  return { ports, transport };
}

/** A store that falls silent together with its process. */
function mortal(store: Store, life: { readonly over: boolean }): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown =>
        life.over ? new Promise(() => {}) : Reflect.apply(member, target, args);
    },
  });
}

function mortalClock(clock: Clock, life: { readonly over: boolean }): Clock {
  const unlessOver = (task: () => void) => () => {
    if (!life.over) task();
  };
  return {
    monotonic: () => clock.monotonic(),
    wall: () => clock.wall(),
    after: (delayMs, task) => clock.after(delayMs, unlessOver(task)),
    soon: (task) => clock.soon(unlessOver(task)),
  };
}

/** Repeats a check until it holds, for up to twenty seconds: machines may be busy. */
export function eventually<Result>(check: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(check, { timeout: 20_000, interval: 5 });
}

/** The instance once it is in that state. */
export async function inState(
  { client }: Pick<RunningEngine, "client">,
  key: string,
  state: string,
): Promise<InstanceView> {
  const [workflow = "", id = ""] = key.split("/");
  return eventually(async () => {
    const instance = await client.get(workflow, id);
    if (instance.state === state) return instance;
    throw new Error(`${key} is in ${JSON.stringify(instance.state)}, not in ${state}`);
  });
}

/** Every dead letter, oldest first. */
export async function deadLetters({
  client,
}: Pick<RunningEngine, "client">): Promise<readonly DeadLetter[]> {
  return (await client.deadLetters({ limit: 100 })).items;
}

/** The dead letter of that message id, once it is there. */
export function deadLetter(engine: Pick<RunningEngine, "client">, id: string): Promise<DeadLetter> {
  return eventually(async () => {
    const found = (await deadLetters(engine)).find((letter) => letter.messageId === id);
    if (found !== undefined) return found;
    throw new Error(`there is no dead letter ${id}`);
  });
}
