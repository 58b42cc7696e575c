import { setTimeout as sleep } from "node:timers/promises";
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
import { Seat } from "./seat.ts";
import { chaosWorkflows } from "./voyage.ts";
import { Workload } from "./workload.ts";

const engineMain = fileURLToPath(import.meta.resolve("./engine-process.ts"));
const partitions = 8;
const restMs = 60_000;
const roles = { engine: "http,engine", worker: "activities" } as const;

/** A broker and a store of their own, the processes on them, and those who talk to them from outside. */
export class ChaosLab {
  readonly broker: RabbitMqServer;
  readonly redis: RedisServer;
  readonly seats: Seat[] = [];
  readonly prefix: string;
  readonly store: RedisStore;
  readonly sink: Sink;
  readonly partitions = partitions;
  readonly #workloads: Workload[] = [];

  private constructor(broker: RabbitMqServer, redis: RedisServer, prefix: string) {
    this.broker = broker;
    this.redis = redis;
    this.prefix = prefix;
    this.store = new RedisStore({ url: redis.url, prefix, clock: systemClock, ids: systemIds });
    this.sink = new Sink(broker.url("guest"), prefix);
  }

  static async open(options: RedisServerOptions = {}, prefix = "chaos"): Promise<ChaosLab> {
    const starting = RedisServer.start({ log: "always", ...options });
    const lab = new ChaosLab(await RabbitMqServer.start(), await starting, prefix);
    await lab.store.open({ partitions });
    return lab;
  }

  /** Starts these processes and resolves once they are at work, and what they emit is listened to. */
  async begin(engines: number, workers: number): Promise<void> {
    const added = [
      ...Array.from({ length: engines }, () => this.seat("engine")),
      ...Array.from({ length: workers }, () => this.seat("worker")),
    ];
    await Promise.all((await Promise.all(added)).map((seat) => seat.atWork()));
    await this.sink.open();
  }

  /** Starts a process, which reaches the servers by way of proxies of its own. */
  async seat(role: Seat["role"]): Promise<Seat> {
    const broker = await TcpProxy.to(this.broker.port);
    const store = await TcpProxy.to(this.redis.port);
    const env = {
      WAYBILL_BROKER: this.broker.url("engine", broker.port),
      WAYBILL_STORE: `redis://127.0.0.1:${store.port}`,
      WAYBILL_PREFIX: this.prefix,
      WAYBILL_PARTITIONS: String(partitions),
      WAYBILL_ROLES: roles[role],
      PORT: "0",
      CHAOS_MAY_DIE: "1",
    };
    const args = ["--expose-gc", engineMain];
    const seat = new Seat(role, [broker, store], () => new Child({ args, env }));
    this.seats.push(seat);
    return seat;
  }

  /** The processes that anything may happen to. */
  victimsOf(role: Seat["role"]): readonly Seat[] {
    return this.seats.filter((seat) => seat.role === role && !seat.isSpared);
  }

  /** Ends a process in good order, for good. */
  async dismiss(seat: Seat): Promise<void> {
    this.seats.splice(this.seats.indexOf(seat), 1);
    await seat.leave();
    for (const line of seat.lines) line.close();
  }

  /** Applications outside; their instances carry the seed in their names. */
  workload(seed: number): Workload {
    const urls = () => this.seats.flatMap(({ url }) => url ?? []);
    const amqp = this.broker.url("guest");
    const workload = new Workload({ urls, amqp, prefix: this.prefix, seed });
    this.#workloads.push(workload);
    return workload;
  }

  /** Resolves once every process does its work. */
  async atWork(): Promise<void> {
    await Promise.all(this.seats.map((seat) => seat.atWork()));
  }

  /** The partitions that a process owns now. */
  async ownedBy({ url }: Seat): Promise<readonly number[]> {
    const answer = await fetch(`${url}/readyz`);
    const { owned } = (await answer.json()) as { readonly owned: readonly number[] };
    return owned;
  }

  /** PUTs to any of the processes until one answers in the 200s. */
  async put(path: string, body: unknown): Promise<void> {
    const headers = { "content-type": "application/json" };
    for (;;) {
      const answer = await this.#ask(path, { method: "PUT", headers, body: JSON.stringify(body) });
      if (answer?.ok === true) return;
      await sleep(100);
    }
  }

  /** POSTs to the processes until one answers in the 200s or that it was done before. */
  async post(path: string): Promise<void> {
    for (;;) {
      const headers = { "content-type": "application/json" };
      const answer = await this.#ask(path, { method: "POST", headers, body: "{}" });
      if (answer !== undefined && (answer.ok || answer.status === 409)) return;
      await sleep(100);
    }
  }

  /** The status of a voyage as an operator sees it; undefined when it cannot be had now. */
  async statusOf(voyage: string): Promise<string | undefined> {
    const answer = await this.#ask(`/workflows/voyage/instances/${voyage}`);
    const body = (await answer?.json().catch(() => undefined)) as { status?: string } | undefined;
    return answer?.ok === true ? body?.status : undefined;
  }

  /** The dead letters that an operator sees. */
  async letters(): Promise<readonly { readonly messageId?: string }[]> {
    const answer = await this.#ask("/dead-letters?limit=100");
    const body = (await answer?.json()) as { readonly items: readonly { messageId?: string }[] };
    return body.items;
  }

  /** How many processes have ended. */
  get deaths(): number {
    return this.seats.reduce((sum, { deaths }) => sum + deaths, 0);
  }

  async #ask(path: string, request: RequestInit = {}): Promise<Response | undefined> {
    const url = this.seats.find((seat) => seat.url !== undefined)?.url;
    const signal = AbortSignal.timeout(5_000);
    return fetch(`${url}${path}`, { ...request, signal }).catch(() => undefined);
  }

  /** All that is known of what a workload has begun. */
  evidence(workload: Workload, calmSince = Date.now()): Evidence {
    const { store, sink } = this;
    const { accepted, started } = workload;
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

  /** Waits for everything to come to rest, and prints the account under this name. */
  async account(name: string, workload: Workload): Promise<Account> {
    await workload.done(restMs);
    const account = await settledAccount(this.evidence(workload), restMs);
    process.stdout.write(`${name}: ${accountLine(account)}\n`);
    if (account.problems.length > 0) this.#explain(account.problems);
    return account;
  }

  /** What is wrong, and what the processes have to say. */
  #explain(problems: readonly string[]): void {
    const said = this.seats.map(({ role, text }) => `${role}: …${text.slice(-1_500)}`);
    process.stdout.write(`${[...problems.slice(0, 20), ...said].join("\n")}\n`);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workloads.map((workload) => workload.close()));
    await this.sink.close();
    await Promise.all(this.seats.map((seat) => seat.leave("SIGKILL")));
    for (const { lines } of this.seats) for (const line of lines) line.close();
    await this.store.close();
    await Promise.all([this.broker.stop(), this.redis.stop()]);
  }
}
