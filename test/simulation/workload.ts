import { sleep } from "../../src/clock.ts";
import { EngineClient } from "../../src/engine/requests/engine-client.ts";
import { WaybillError } from "../../src/errors.ts";
import type { Outgoing } from "../../src/transport.ts";
import type { Accepted } from "../support/instance-checks.ts";
import { Operators } from "./operators.ts";
import { Sink } from "./sink.ts";
import type { Host, World } from "./world.ts";

/** A request that was refused, and when it was sent for the last time (milliseconds, store's clock). */
interface Refused extends Accepted {
  readonly lastTriedAt: number;
}

/** What goes on outside of the system under test: senders, a requester, and a service that answers. */
export class Workload {
  readonly accepted: Accepted[] = [];
  /** Message ids that the requester was told are refused. */
  readonly refused: Refused[] = [];
  readonly started: string[] = [];
  /** Whether somebody waits for what never comes. */
  readonly hasIdlers: boolean;
  readonly sink: Sink;
  readonly operators: Operators;
  readonly #world: World;
  readonly #gateway: Host;
  readonly #shop: Host;
  readonly #client: EngineClient;
  /** What still goes on. */
  #open = 0;

  private constructor(
    world: World,
    operators: Operators,
    hosts: { gateway: Host; shop: Host; sink: Host },
  ) {
    this.operators = operators;
    this.hasIdlers = world.chance.hit(0.04);
    this.#world = world;
    this.#gateway = hosts.gateway;
    this.#shop = hosts.shop;
    this.#client = new EngineClient({ ports: hosts.gateway.ports });
    this.sink = new Sink(world, hosts.sink);
  }

  static async begin(world: World): Promise<Workload> {
    const workload = new Workload(world, await Operators.begin(world), {
      gateway: await world.host("gateway"),
      shop: await world.host("shop", { user: "shop" }),
      sink: await world.host("sink", { user: "sink" }),
    });
    void workload.#client.open();
    void workload.sink.start();
    return workload;
  }

  get isDone(): boolean {
    return this.#open === 0 && this.sink.answering === 0 && this.operators.isDone;
  }

  /** Lets everything begin within the next `spanMs`. */
  play(spanMs: number): void {
    for (let number = 0; number < 4; number += 1) {
      this.errand(`e${number}`, spanMs);
      if (this.#world.chance.hit(0.3)) this.#trip(`e${number}`, spanMs * 1.5);
      this.operators.attend(`e${number}`, spanMs * 2);
    }
    this.operators.sort();
    this.operators.redrive(spanMs * 3);
    this.operators.redrive(spanMs * 4);
    for (let number = 0; number < 3; number += 1) this.#parcel(`p${number}`, spanMs);
    for (let number = 0; number < 2; number += 1) {
      this.vigil(`v${number}`, spanMs);
    }
    if (this.#world.isShortOfMemory) this.#ledger("l0", spanMs);
  }

  errand(id: string, spanMs: number): void {
    const { chance } = this.#world;
    const key = `errand/${id}`;
    const note = (sender: string, number: number) =>
      this.#inbound(`${id}:${sender}${number}`, key, "errand.note", {
        errand: id,
        sender,
        number,
      });
    this.#later(spanMs, async () => {
      await this.#start("errand", id);
      this.#later(1_500, () => this.#request(key, "errand.go", `${id}:go`));
      for (const number of [1, 2, 3]) {
        this.#later(3_000, () => this.#request(key, "errand.praise", `${id}:praise${number}`));
      }
      if (chance.hit(0.3)) {
        this.#later(4_000, () => this.#request(key, "errand.cancel", `${id}:cancel`));
      }
      const until = this.hasIdlers ? "state:nowhere" : "done";
      const wait = { until, timeoutMs: 500 } as const;
      await this.#client.wait("errand", id, wait).catch(() => undefined);
    });
    this.#later(spanMs, () => this.#inTurn([1, 2, 3, 4].map((number) => note("a", number))));
    this.#later(spanMs, () => this.#inTurn([1, 2].map((number) => note("b", number))));
  }

  /** Makes an errand fail, unless it has ended by then. */
  #trip(id: string, spanMs: number): void {
    const trip = this.#inbound(`${id}:trip`, `errand/${id}`, "errand.trip", { errand: id });
    this.#later(spanMs, () => this.#inTurn([trip]));
  }

  vigil(id: string, spanMs: number): void {
    this.#later(spanMs, async () => {
      await this.#start("vigil", id);
      this.operators.interrupt(id, 1_000);
    });
  }

  /** Entries that are copied long after the ledger has forgotten them. */
  #ledger(id: string, spanMs: number): void {
    const numbers = Array.from({ length: 12 }, (_, number) => number + 1);
    const entries = numbers.map((number) =>
      this.#inbound(`${id}:${number}`, `ledger/${id}`, "ledger.entry", {
        ledger: id,
        sender: "c",
        number,
      }),
    );
    this.#later(500, () => this.#start("ledger", id));
    this.#later(500, () => this.#inTurn(entries, (spanMs * 2) / entries.length));
  }

  #parcel(id: string, spanMs: number): void {
    const key = `parcel/${id}`;
    const scan = (number: number) =>
      this.#inbound(`${id}:scan${number}`, key, "parcel.scanned", {
        parcel: id,
        sender: "s",
        number,
      });
    this.started.push(key);
    const posted = () => this.#inbound(`${id}:posted`, key, "parcel.posted", { parcel: id });
    this.#later(spanMs, () => this.#inTurn([posted()]));
    this.#later(spanMs, () => this.#inTurn([scan(1), scan(2), scan(3), scan(4)]));
  }

  #later(spanMs: number, act: () => Promise<void>): void {
    const { scheduler, chance } = this.#world;
    this.#open += 1;
    const end = () => {
      this.#open -= 1;
    };
    scheduler.at(chance.between(0, spanMs), () => void act().then(end));
  }

  #inbound(id: string, key: string, type: string, payload: object): Accepted & Outgoing {
    const message = { id, type, body: JSON.stringify(payload) };
    return { id, key, type, exchange: "inbound", routingKey: type, message };
  }

  /** Publishes one after the other, each until the broker has confirmed it: what a careful sender does. */
  async #inTurn(messages: readonly (Accepted & Outgoing)[], pauseMs = 400): Promise<void> {
    const { transport, process } = this.#shop;
    for (const { id, key, type, ...outgoing } of messages) {
      const message = { ...outgoing.message, timestamp: this.#world.server.now() };
      for (;;) {
        const [confirmation] = await transport.publish([{ ...outgoing, message }]);
        if (confirmation === "confirmed") break;
        await sleep(process.clock, 60);
      }
      this.accepted.push({ id, key, type });
      const { isShortOfMemory, faults, chance } = this.#world;
      if (isShortOfMemory && !faults.isCalm && chance.hit(0.3)) {
        void this.#copy({ ...outgoing, message });
      }
      await sleep(process.clock, this.#world.chance.between(0, pauseMs));
    }
  }

  /** Publishes a message once more, while the inboxes know it or when they have forgotten it. */
  async #copy(outgoing: Outgoing): Promise<void> {
    const { transport, process } = this.#shop;
    const { chance, inboxWindowMs } = this.#world;
    this.#open += 1;
    const windows = chance.hit(0.5) ? chance.between(0.1, 0.9) : chance.between(2, 4);
    await sleep(process.clock, windows * inboxWindowMs);
    await transport.publish([outgoing]);
    this.#open -= 1;
  }

  async #start(workflow: string, id: string): Promise<void> {
    const idempotencyKey = `${workflow}:${id}:start`;
    this.started.push(`${workflow}/${id}`);
    const request = { workflow, id, input: {}, idempotencyKey };
    const start = this.#world.chance.hit(0.5)
      ? () => this.#client.startAsync(request)
      : () => this.#client.start(request);
    await this.#untilKnown(`start ${id}`, start);
  }

  async #request(key: string, type: string, id: string): Promise<void> {
    const [workflow = "", instance = ""] = key.split("/");
    const request = { workflow, id: instance, type, payload: {}, idempotencyKey: id };
    const { recorder, tail } = this.#world;
    let lastTriedAt = 0;
    let isThere = false;
    const problem = await this.#untilKnown(`${type} ${key}`, () => {
      lastTriedAt = this.#world.server.now();
      isThere = recorder.isStarted(key);
      return this.#client.send(request);
    });
    if (problem === undefined) this.accepted.push({ id, key, type });
    else this.refused.push({ id, key, type, lastTriedAt });
    if (problem === "unknown-instance" && isThere && !tail.hasLost) {
      recorder.violate(`${type} ${id} was refused for want of ${key}, which is there`);
    }
  }

  /** Repeats a request until its outcome is certain; answers the code of a refusal. */
  async #untilKnown(what: string, ask: () => Promise<unknown>): Promise<string | undefined> {
    const { process } = this.#gateway;
    for (;;) {
      try {
        await ask();
        return undefined;
      } catch (error) {
        this.#world.trace.say(process.name, `${what}: ${String(error)}`);
        if (error instanceof WaybillError && !error.retryable) return error.code;
        await sleep(process.clock, 100);
      }
    }
  }
}
