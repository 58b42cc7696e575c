import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { systemIds } from "../../../src/ids.ts";
import { RedisStore } from "../../../src/stores/redis/store.ts";
import { Child } from "../../support/child-process.ts";
import { type Account, accountLine, settledAccount } from "../account.ts";
import { Sink } from "../plain-amqp.ts";
import { chaosWorkflows } from "../voyage.ts";
import { Workload } from "../workload.ts";
import { Pulses, type Silence } from "./pulses.ts";

const engineMain = fileURLToPath(import.meta.resolve("../engine-process.ts"));
const partitions = 8;
const orderMs = 60_000;
const voyageEveryMs = 400;
/** How much of what processes said is shown with an account that is not in order. */
const toldOf = 6_000;

export interface ClusterLabOptions {
  /** Where the engines find broker and store. */
  readonly broker: string;
  readonly store: string;
  /** Where other applications find the broker. */
  readonly outside: string;
}

interface Scene {
  /** What it is called in the account. */
  readonly name: string;
  /** Does what happens, while there is work; answers since when to look for silence. */
  readonly strike: () => Promise<number>;
  /** How long to wait for an account that is in order. */
  readonly restMs?: number;
}

/** Two engines and a worker on servers of several nodes, and those who talk to them from outside. */
export class ClusterLab {
  readonly prefix = "chaos";
  readonly store: RedisStore;
  readonly sink: Sink;
  readonly pulses: Pulses;
  readonly #options: ClusterLabOptions;
  readonly #children = new Map<Child, string>();
  readonly #workloads: Workload[] = [];

  constructor(options: ClusterLabOptions) {
    const { store: url, outside } = options;
    this.#options = options;
    this.store = new RedisStore({ url, prefix: this.prefix, clock: systemClock, ids: systemIds });
    this.sink = new Sink(outside, this.prefix);
    this.pulses = new Pulses(() => this.urls, partitions);
  }

  /** Resolves once all processes are at work. */
  async open(): Promise<void> {
    await this.store.open({ partitions });
    await Promise.all(
      ["engine,http", "engine,http", "activities"].map((roles) => this.#start(roles)),
    );
    await this.sink.open();
  }

  get urls(): readonly string[] {
    return [...this.#children.values()].filter((url) => url !== "");
  }

  /** What the processes that run have said. */
  get text(): string {
    return [...this.#children.keys()].map((child) => child.text).join("\n");
  }

  /** What those processes have said of commits that the store had lost. */
  get rollbacks(): readonly string[] {
    return this.text.split("\n").filter((line) => line.includes("the store has lost commits"));
  }

  /** Kills all engines. */
  async killEngines(): Promise<void> {
    const engines = [...this.#children].filter(([, url]) => url !== "");
    for (const [child] of engines) this.#children.delete(child);
    await Promise.all(engines.map(([child]) => child.end()));
  }

  /** Starts engines where there are none. */
  async startEngines(): Promise<void> {
    await Promise.all([this.#start("engine,http"), this.#start("engine,http")]);
  }

  /** What the first engine says of its health. */
  async health(): Promise<{ readonly durability: string; readonly warnings: readonly string[] }> {
    const answer = await fetch(`${this.urls[0]}/readyz`);
    return (await answer.json()) as { durability: string; warnings: readonly string[] };
  }

  /** Plays a scene under load, waits for rest, prints what became of all and how long work stood still. */
  async play({
    name,
    strike,
    restMs = orderMs,
  }: Scene): Promise<{ account: Account; silence: Silence }> {
    await this.pulses.start();
    const workload = this.#workload();
    let goesOn = true;
    const playing = workload.play(() => goesOn, voyageEveryMs);
    const since = await this.#told(strike());
    await this.#told(this.pulses.until(performance.now(), orderMs));
    const silence = this.pulses.silence(since);
    await this.pulses.stop();
    goesOn = false;
    await playing;
    const calmSince = Date.now();
    await workload.done(restMs);
    const account = await settledAccount(this.#evidence(workload, calmSince), restMs);
    const { median, longest } = silence;
    const line = `${name}: ${accountLine(account)}; work stood still for ${median} ms (median of the partitions), ${longest} ms at most`;
    process.stdout.write(`  ${line}\n`);
    if (account.problems.length > 0) process.stdout.write(`${this.text.slice(-toldOf)}\n`);
    return { account, silence };
  }

  async close(): Promise<void> {
    await this.pulses.stop();
    await Promise.all(this.#workloads.map((workload) => workload.close()));
    await this.sink.close();
    await Promise.all([...this.#children.keys()].map((child) => child.end()));
    await this.store.close();
  }

  /** Shows what processes said last when it fails. */
  async #told<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      process.stdout.write(`${this.text.slice(-toldOf)}\n`);
      throw error;
    }
  }

  #workload(): Workload {
    const seed = this.#workloads.length + 1;
    const { prefix } = this;
    const workload = new Workload({
      urls: () => this.urls,
      amqp: this.#options.outside,
      prefix,
      seed,
    });
    this.#workloads.push(workload);
    return workload;
  }

  #evidence(workload: Workload, calmSince: number): Parameters<typeof settledAccount>[0] {
    const { accepted, started } = workload;
    const { store, sink } = this;
    return {
      store,
      sink,
      partitions,
      calmSince,
      workflows: chaosWorkflows,
      workload: { accepted, started, isWaiting: () => workload.waiting },
      concerns: (key) => workload.owns(key),
    };
  }

  async #start(roles: string): Promise<void> {
    const { broker, store } = this.#options;
    const env = {
      WAYBILL_BROKER: broker,
      WAYBILL_STORE: store,
      WAYBILL_PREFIX: this.prefix,
      WAYBILL_PARTITIONS: String(partitions),
      WAYBILL_ROLES: roles,
      PORT: "0",
    };
    const child = new Child({ args: [engineMain], env });
    this.#children.set(child, "");
    await child.says(/is at work/);
    const [, url = ""] = await child.says(/listens on (http:\S+)/);
    if (roles.includes("engine")) this.#children.set(child, url);
  }
}

/** Plays a scene and is strict about it: everything was applied. */
export async function expectAllKept(
  lab: ClusterLab,
  name: string,
  strike: Scene["strike"],
): Promise<Silence> {
  const { account, silence } = await lab.play({ name, strike });
  expect(account.problems).toEqual([]);
  expect(account).toMatchObject({ applied: account.accepted, parked: 0, lost: 0 });
  expect(account.accepted).toBeGreaterThan(0);
  return silence;
}
