import type { ActivityWorker } from "../../src/engine/activities/worker.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { CodeBase } from "./workflows.ts";
import type { Host, World } from "./world.ts";

/** A place for a process: when that ends, another one is started there. */
export interface Seat {
  host: Host;
  engine: Engine | undefined;
  /** Which versions of the workflows the next process there has. */
  code: CodeBase;
  /** Whether somebody starts another process when this one has ended. */
  isKept: boolean;
  /** Ends the process in good order. */
  stop: () => Promise<void>;
  readonly boot: () => Promise<void>;
}

interface Booted {
  readonly host: Host;
  readonly part: Engine | ActivityWorker;
  readonly engine: Engine | undefined;
}

const rebootMs = 800;

/** The processes of the system under test. */
export class Seating {
  /** New versions come while old ones are still there. */
  readonly isRollout: boolean;
  readonly #world: World;
  #engines: Seat[] = [];
  readonly #workers: Seat[] = [];

  constructor(world: World) {
    this.#world = world;
    this.isRollout = world.chance.hit(0.4);
  }

  get all(): readonly Seat[] {
    return [...this.#engines, ...this.#workers];
  }

  /** The engines that run now. */
  get engines(): readonly Engine[] {
    const running = this.#engines.filter(({ host }) => host.process.state !== "dead");
    return running.flatMap(({ engine }) => engine ?? []);
  }

  async begin(engines: number, workers: number): Promise<void> {
    const code = this.isRollout ? "old" : "both";
    for (let count = 0; count < engines; count += 1) this.#engines.push(await this.#engine(code));
    for (let count = 0; count < workers; count += 1) {
      const seat = await this.#sit("both", async () => {
        const { host, worker } = await this.#world.worker();
        return { host, part: worker, engine: undefined };
      });
      this.#workers.push(seat);
    }
  }

  /** One more engine comes, and goes in good order after `lastsMs`. */
  join(lastsMs: number): void {
    const { scheduler } = this.#world;
    void this.#engine(this.isRollout ? "old" : "both").then((seat) => {
      seat.isKept = false;
      this.#engines.push(seat);
      scheduler.at(lastsMs, () => {
        this.retire(seat);
        this.#engines = this.#engines.filter((one) => one !== seat);
      });
    });
  }

  /** An engine gets new code: beside the old one as it should be, or by mistake in its place. */
  deploy(): void {
    const { chance, faults } = this.#world;
    const seat = chance.pick(this.#engines);
    seat.code = chance.hit(0.55) ? "new" : "both";
    faults.count(`deploy ${seat.code}`);
    this.retire(seat);
  }

  /** Puts right what deployments have left: instances of every version must have somebody who can run them. */
  putRight(): void {
    const isMissing = this.#engines.every(({ code, isKept }) => code !== "both" || !isKept);
    for (const seat of this.#engines) {
      if (!seat.isKept || (seat.code !== "new" && !isMissing)) continue;
      seat.code = "both";
      this.kill(seat);
    }
  }

  /** Ends a process without warning; somebody starts another one in its place. */
  kill(seat: Seat): void {
    const { scheduler, chance } = this.#world;
    if (seat.host.process.state === "dead") return;
    this.#world.kill(seat.host);
    if (!seat.isKept) return;
    const downMs = chance.hit(0.2) ? chance.between(1_000, 5_000) : chance.between(50, rebootMs);
    scheduler.at(downMs, () => void seat.boot());
  }

  /** Ends a process in good order. */
  retire(seat: Seat): void {
    const { host } = seat;
    void seat.stop().then(() => {
      if (host.process.state !== "dead") this.kill(seat);
    });
  }

  freeze({ host: { process, wire } }: Seat): void {
    const { scheduler, chance, trace, tail } = this.#world;
    if (process.state !== "running") return;
    process.freeze();
    tail.frozen(process.name);
    wire.fallSilent();
    const lastsMs = chance.hit(0.5) ? chance.between(50, 1_500) : chance.between(1_500, 6_000);
    scheduler.at(lastsMs, () => {
      trace.say(process.name, "thaws");
      process.thaw();
    });
  }

  /** Ends the workers, which may still have something to report, then the engines. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((seat) => seat.stop()));
    await Promise.all(this.#engines.map((seat) => seat.stop()));
  }

  #engine(code: CodeBase): Promise<Seat> {
    return this.#sit(code, async (seat) => {
      const { host, engine } = await this.#world.engine(seat.code);
      return { host, part: engine, engine };
    });
  }

  async #sit(code: CodeBase, make: (seat: Seat) => Promise<Booted>): Promise<Seat> {
    const boot = async () => {
      const { host, part, engine } = await make(seat);
      Object.assign(seat, { host, engine, stop: () => part.stop(3_000) });
      // A process that cannot start ends, and its supervisor tries again.
      part.start().catch((error: unknown) => {
        this.#world.trace.say(host.process.name, `cannot start: ${String(error)}`);
        if (seat.host === host) this.kill(seat);
      });
    };
    const seat = { boot, code, isKept: true } as Seat;
    await boot();
    return seat;
  }
}
