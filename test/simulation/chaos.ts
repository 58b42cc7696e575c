import type { ActivityWorker } from "../../src/engine/activities/worker.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Host, World } from "./world.ts";

/** A running engine or worker, replaced when it is killed. */
interface Seat {
  host: Host;
  /** Ends it in good order. */
  stop: () => Promise<void>;
  readonly boot: () => Promise<void>;
}

const rebootMs = 800;
const kinds = [
  "kill",
  "kill",
  "freeze",
  "freeze",
  "stop",
  "skew",
  "cut",
  "broker",
  "blackout",
] as const;

/** The processes of the system under test, and what happens to them. */
export class Cast {
  readonly #world: World;
  readonly #engines: Seat[] = [];
  readonly #workers: Seat[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  async begin(engines: number, workers: number): Promise<void> {
    for (let count = 0; count < engines; count += 1) {
      await this.#sit(this.#engines, async () => {
        const { host, engine } = await this.#world.engine();
        return { host, part: engine };
      });
    }
    for (let count = 0; count < workers; count += 1) {
      await this.#sit(this.#workers, async () => {
        const { host, worker } = await this.#world.worker();
        return { host, part: worker };
      });
    }
  }

  /** Does one thing, chosen by chance, to one process or to the broker. */
  strike(): void {
    const { chance, faults, trace } = this.#world;
    const seat = chance.pick([...this.#engines, ...this.#workers]);
    const what = chance.pick(kinds);
    if (seat.host.process.state === "dead" && what !== "broker" && what !== "blackout") return;
    faults.count(what);
    const { process, wire } = seat.host;
    trace.say("CHAOS", `${what} ${process.name}`);
    switch (what) {
      case "kill":
        return this.#kill(seat);
      case "blackout":
        return [...this.#engines, ...this.#workers].forEach((one) => this.#kill(one));
      case "stop":
        return this.#retire(seat);
      case "freeze":
        return this.#freeze(seat.host);
      case "skew":
        return process.skew(chance.between(-172_800_000, 172_800_000));
      case "cut":
        return wire.sever("connection reset", chance.between(10, 1_000));
      case "broker":
        return this.#restartBroker();
    }
  }

  /** Ends the workers, which may still have something to report, then the engines. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((seat) => seat.stop()));
    await Promise.all(this.#engines.map((seat) => seat.stop()));
  }

  async #sit(
    seats: Seat[],
    make: () => Promise<{ host: Host; part: Engine | ActivityWorker }>,
  ): Promise<void> {
    const boot = async () => {
      const { host, part } = await make();
      seat.host = host;
      seat.stop = () => part.stop(3_000);
      // A process that cannot start ends, and its supervisor tries again.
      part.start().catch((error: unknown) => {
        this.#world.trace.say(host.process.name, `cannot start: ${String(error)}`);
        if (host.process.state !== "dead") this.#kill(seat);
      });
    };
    const seat = { boot } as Seat;
    await boot();
    seats.push(seat);
  }

  /** Ends a process without warning; somebody starts another one in its place. */
  #kill(seat: Seat): void {
    const { scheduler, chance } = this.#world;
    if (seat.host.process.state === "dead") return;
    this.#world.kill(seat.host);
    const downMs = chance.hit(0.2) ? chance.between(1_000, 5_000) : chance.between(50, rebootMs);
    scheduler.at(downMs, () => void seat.boot());
  }

  #retire(seat: Seat): void {
    const { host } = seat;
    void seat.stop().then(() => {
      if (host.process.state !== "dead") this.#kill(seat);
    });
  }

  #freeze({ process, wire }: Host): void {
    const { scheduler, chance } = this.#world;
    if (process.state !== "running") return;
    process.freeze();
    wire.fallSilent();
    const lastsMs = chance.hit(0.5) ? chance.between(50, 1_500) : chance.between(1_500, 6_000);
    scheduler.at(lastsMs, () => {
      this.#world.trace.say(process.name, "thaws");
      process.thaw();
    });
  }

  #restartBroker(): void {
    const downMs = this.#world.chance.between(50, 1_200);
    for (const { wire } of this.#world.hosts) wire.sever("the broker restarts", downMs);
  }
}
