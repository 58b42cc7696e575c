import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/clock.ts";
import { systemIds } from "../../src/ids.ts";
import { RedisStore } from "../../src/stores/redis/store.ts";
import { Child } from "../support/child-process.ts";
import { RabbitMqServer } from "../support/rabbitmq-server.ts";
import { RedisServer, type RedisServerOptions } from "../support/redis-server.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { type Account, accountLine, type Evidence, settledAccount } from "./account.ts";
import { Sink } from "./plain-amqp.ts";
import { chaosWorkflows } from "./voyage.ts";
import { Workload } from "./workload.ts";

const engineMain = fileURLToPath(import.meta.resolve("./engine-process.ts"));
const partitions = 8;
const restMs = 60_000;

export interface SeatOptions {
  readonly roles?: "http,engine" | "activities" | "engine";
  readonly env?: Readonly<Record<string, string>>;
  /** Between the process and its servers; else it talks to them directly. */
  readonly proxies?: { readonly broker: TcpProxy; readonly store: TcpProxy };
}

/** A place for a process of the system under test: when it dies, another one takes it. */
export class Seat {
  readonly #start: () => Child;
  #child: Child;
  #url: string | undefined;
  #isKept = true;
  /** How many processes have died here by themselves or by the hand of a test. */
  deaths = 0;

  constructor(start: () => Child) {
    this.#start = start;
    this.#child = this.#sit();
  }

  /** Where it listens; undefined while it does not. */
  get url(): string | undefined {
    return this.#url;
  }

  get text(): string {
    return this.#child.text;
  }

  /** Resolves once its present process has all it needs. */
  async atWork(withinMs = 60_000): Promise<void> {
    await this.#child.says(/is at work/, withinMs);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.signal(signal);
  }

  /** Resident memory after a garbage collection, in bytes; undefined when it does not answer. */
  async memory(): Promise<number | undefined> {
    const child = this.#child;
    const before = child.text.length;
    child.signal("SIGUSR2");
    const endsAt = performance.now() + 2_000;
    while (performance.now() < endsAt) {
      const [, rss] = /memory \{"rss":(\d+)/.exec(child.text.slice(before)) ?? [];
      if (rss !== undefined) return Number(rss);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return undefined;
  }

  /** Ends its process without warning; another one takes its place. */
  async kill(): Promise<void> {
    await this.#child.end("SIGKILL");
  }

  /** Ends its process for good, in good order unless told otherwise. */
  async leave(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.#isKept = false;
    this.#url = undefined;
    const child = this.#child;
    child.signal("SIGCONT");
    await child.end(signal);
  }

  #sit(): Child {
    const child = this.#start();
    this.#child = child;
    void this.#listen(child);
    void child.ended().then(() => {
      this.#url = undefined;
      this.deaths += 1;
      if (this.#isKept) this.#sit();
    });
    return child;
  }

  async #listen(child: Child): Promise<void> {
    const [, url] = await child.says(/listens on (http:\S+)/, 60_000).catch(() => []);
    if (this.#child === child && this.#isKept) this.#url = url;
  }
}

/** A broker and a store of their own, the processes on them, and those who talk to them from outside. */
export class ChaosLab {
  readonly broker: RabbitMqServer;
  readonly redis: RedisServer;
  readonly seats: Seat[] = [];
  readonly prefix: string;
  readonly store: RedisStore;
  readonly #sinks: Sink[] = [];
  readonly #workloads: Workload[] = [];
  readonly #proxies: TcpProxy[] = [];

  private constructor(broker: RabbitMqServer, redis: RedisServer, prefix: string) {
    this.broker = broker;
    this.redis = redis;
    this.prefix = prefix;
    this.store = new RedisStore({ url: redis.url, prefix, clock: systemClock, ids: systemIds });
  }

  static async open(options: RedisServerOptions = {}, prefix = "chaos"): Promise<ChaosLab> {
    const starting = RedisServer.start({ log: "always", ...options });
    const lab = new ChaosLab(await RabbitMqServer.start(), await starting, prefix);
    await lab.store.open({ partitions });
    return lab;
  }

  /** Starts a process; `atWork()` of its seat tells when it is ready. */
  seat({ roles = "http,engine", env = {}, proxies }: SeatOptions = {}): Seat {
    const brokerPort = proxies?.broker.port ?? this.broker.port;
    const settings = {
      WAYBILL_BROKER: this.broker.url("engine", brokerPort),
      WAYBILL_STORE: `redis://127.0.0.1:${proxies?.store.port ?? this.redis.port}`,
      WAYBILL_PREFIX: this.prefix,
      WAYBILL_PARTITIONS: String(partitions),
      WAYBILL_ROLES: roles,
      PORT: "0",
      ...env,
    };
    const args = ["--expose-gc", engineMain];
    const seat = new Seat(() => new Child({ args, env: settings }));
    this.seats.push(seat);
    return seat;
  }

  /** Proxies to both servers, for one process. */
  async proxies(): Promise<{ readonly broker: TcpProxy; readonly store: TcpProxy }> {
    const broker = await TcpProxy.to(this.broker.port);
    const store = await TcpProxy.to(this.redis.port);
    this.#proxies.push(broker, store);
    return { broker, store };
  }

  async atWork(): Promise<void> {
    await Promise.all(this.seats.map((seat) => seat.atWork()));
  }

  /** A workload whose effects come to a sink of its own; the processes are at work by then. */
  async workload(seed: number): Promise<{ readonly workload: Workload; readonly sink: Sink }> {
    const amqp = this.broker.url("guest");
    const sink = new Sink(amqp, this.prefix);
    this.#sinks.push(sink);
    await sink.open();
    const urls = () => this.seats.flatMap(({ url }) => url ?? []);
    const workload = new Workload({ urls, amqp, prefix: this.prefix, seed });
    this.#workloads.push(workload);
    return { workload, sink };
  }

  evidence(workload: Workload, sink: Sink, calmSince = Date.now()): Evidence {
    const { store } = this;
    const { accepted, started } = workload;
    const sent = { accepted, started, isWaiting: () => workload.waiting };
    const endless = ["pulse"];
    return {
      store,
      partitions,
      workflows: chaosWorkflows,
      workload: sent,
      sink,
      endless,
      calmSince,
    };
  }

  /** Waits for everything to come to rest, and prints the account under this name. */
  async account(name: string, evidence: Evidence): Promise<Account> {
    const account = await settledAccount(evidence, restMs);
    process.stdout.write(`${name}: ${accountLine(account)}\n`);
    return account;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workloads.map((workload) => workload.close()));
    await Promise.all(this.#sinks.map((sink) => sink.close()));
    await Promise.all(this.seats.map((seat) => seat.leave("SIGKILL")));
    for (const proxy of this.#proxies) proxy.close();
    await this.store.close();
    await Promise.all([this.broker.stop(), this.redis.stop()]);
  }
}
