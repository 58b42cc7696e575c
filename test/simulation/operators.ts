import { sleep } from "../../src/clock.ts";
import type { InstanceView } from "../../src/engine/client.ts";
import { EngineClient } from "../../src/engine/requests/engine-client.ts";
import { WaybillError } from "../../src/errors.ts";
import type { Host, World } from "./world.ts";

const lookMs = 400;
/** Nothing is suspended for longer on purpose. */
const longestMs = 6_000;
/** Longer than the last copy of a message is on its way. */
const sortingMs = 19_000;

/** People who look after errands and vigils: they suspend and resume them, end some, and go after failures and dead letters. */
export class Operators {
  /** Message ids whose dead letters they have dropped. */
  readonly dropped = new Set<string>();
  readonly #world: World;
  readonly #host: Host;
  readonly #client: EngineClient;
  #requests = 0;
  #open = 0;

  private constructor(world: World, host: Host) {
    this.#world = world;
    this.#host = host;
    this.#client = new EngineClient({ ports: host.ports });
  }

  static async begin(world: World): Promise<Operators> {
    const operators = new Operators(world, await world.host("operators"));
    void operators.#client.open();
    return operators;
  }

  get isDone(): boolean {
    return this.#open === 0;
  }

  /**
   * Suspends a vigil for a while, within the next `spanMs`. A worker that does not reach the store meanwhile goes on
   * with work that another one has begun anew.
   */
  interrupt(id: string, spanMs: number): void {
    const { chance, server, faults, hosts } = this.#world;
    if (!chance.hit(0.5)) return;
    this.#later(spanMs, async () => {
      const names = [...hosts].map(({ process }) => process.name);
      const workers = names.filter((name) => name.startsWith("worker"));
      if (!faults.isCalm && workers.length > 0) {
        server.cutOff(chance.pick(workers), chance.between(1_500, 3_000));
      }
      await this.#control("suspend", "vigil", id);
      await this.#pause(chance.between(500, longestMs));
      await this.#control("resume", "vigil", id);
      await this.#mend("vigil", id);
    });
  }

  /** Meddles with an errand within the next `spanMs`, and stays with it to its end. */
  attend(id: string, spanMs: number): void {
    const { chance } = this.#world;
    if (chance.hit(0.5)) {
      this.#later(spanMs, async () => {
        await this.#control("suspend", "errand", id);
        await this.#pause(
          chance.hit(0.3) ? chance.between(1_500, longestMs) : chance.between(0, 1_500),
        );
        await this.#control("resume", "errand", id);
      });
    }
    if (chance.hit(0.15)) this.#later(spanMs, () => this.#control("terminate", "errand", id));
    this.#later(spanMs, () => this.#mend("errand", id));
  }

  /** Sends again, within the next `spanMs`, what came too late for its instance. It will be too late again. */
  redrive(spanMs: number): void {
    this.#later(spanMs, () =>
      this.#untilKnown("redrive", () =>
        this.#client.redriveDeadLetters({ reason: "ended", before: Number.MAX_SAFE_INTEGER }),
      ),
    );
  }

  /** Goes through what came too late for the inboxes, as long as such copies may turn up. */
  sort(): void {
    const { isShortOfMemory, scheduler } = this.#world;
    if (!isShortOfMemory) return;
    const until = scheduler.now + sortingMs;
    this.#later(0, async () => {
      while (scheduler.now < until) {
        await this.#pause(1_000);
        await this.#sortOnce().catch(() => undefined);
      }
    });
  }

  async #sortOnce(): Promise<void> {
    const { items } = await this.#client.deadLetters({ reason: "too-old", limit: 100 });
    for (const { id, key = "", messageId } of items) {
      const [workflow = "", instance = ""] = key.split("/");
      const view = await this.#look(workflow, instance);
      // What waits there may be this message, sent again before.
      if (view !== undefined && view.waiting > 0) continue;
      const history = await this.#client.history(workflow, instance).catch(() => undefined);
      if (history === undefined) continue;
      const again = `redrive:${id}:`;
      const isApplied = history.some(
        (entry) => entry.messageId === messageId || entry.messageId?.startsWith(again) === true,
      );
      const act = isApplied ? "dropDeadLetter" : "redriveDeadLetter";
      this.#world.faults.count(`operator: too old, ${isApplied ? "dropped" : "sent again"}`);
      await this.#client[act](id);
    }
  }

  /**
   * Retries what has failed; when it fails again, the event is dropped, and it goes on without it. Resumes what a copy
   * of a suspension has suspended, which came when that had been refused.
   */
  async #mend(workflow: string, id: string): Promise<void> {
    let suspendedMs = 0;
    for (let failures = 0; ; ) {
      const instance = await this.#look(workflow, id);
      if (instance !== undefined && /^(done|stopped|error)$/.test(instance.status)) return;
      if (instance?.status === "failed") {
        if (failures > 0) await this.#drop(`${workflow}/${id}`);
        failures += 1;
        await this.#control("retry", workflow, id);
      }
      suspendedMs = instance?.status === "suspended" ? suspendedMs + lookMs : 0;
      if (suspendedMs > longestMs) await this.#control("resume", workflow, id);
      await this.#pause(lookMs);
    }
  }

  async #look(workflow: string, id: string): Promise<InstanceView | undefined> {
    try {
      return await this.#client.get(workflow, id);
    } catch {
      return undefined;
    }
  }

  async #drop(key: string): Promise<void> {
    await this.#untilKnown(`drop for ${key}`, async () => {
      const { items } = await this.#client.deadLetters({ reason: "poison", limit: 100 });
      for (const letter of items) {
        if (letter.key !== key) continue;
        if (letter.messageId !== undefined) this.dropped.add(letter.messageId);
        await this.#client.dropDeadLetter(letter.id);
      }
    });
  }

  async #control(
    action: "retry" | "terminate" | "suspend" | "resume",
    workflow: string,
    id: string,
  ): Promise<void> {
    for (;;) {
      this.#requests += 1;
      const request = {
        workflow,
        id,
        idempotencyKey: `${id}:${action}${this.#requests}`,
      };
      const refusal = await this.#untilKnown(`${action} ${id}`, () =>
        this.#client[action](request),
      );
      // A store that has gone back does not know it yet.
      const isAway = refusal === "unknown-instance" && this.#world.tail.hasLost;
      if (refusal !== "too-old" && !isAway) return;
      if (isAway) await this.#pause(lookMs);
    }
  }

  /** Repeats a request until its outcome is certain; answers the code of a refusal. */
  async #untilKnown(what: string, ask: () => Promise<unknown>): Promise<string | undefined> {
    const { trace, faults } = this.#world;
    for (;;) {
      try {
        await ask();
        faults.count(`operator: ${what.split(" ")[0]}`);
        return undefined;
      } catch (error) {
        trace.say(this.#host.process.name, `${what}: ${String(error)}`);
        if (error instanceof WaybillError && !error.retryable) return error.code;
        await this.#pause(100);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return sleep(this.#host.process.clock, ms);
  }

  #later(spanMs: number, act: () => Promise<unknown>): void {
    const { scheduler, chance } = this.#world;
    this.#open += 1;
    const end = () => {
      this.#open -= 1;
    };
    scheduler.at(chance.between(0, spanMs), () => void act().then(end));
  }
}
