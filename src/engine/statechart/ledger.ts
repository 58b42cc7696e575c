import type { AnyEventObject } from "xstate";
import { WaybillError } from "../../errors.ts";
import type { Actor, Address, ChildRecord, TimerRecord } from "./actor.ts";
import type { Effect } from "./effects.ts";
import { plain } from "./plain.ts";

/** Keeps account of timers and children during one step, and of what that step asks for. */
export class Ledger {
  readonly effects: Effect[] = [];
  timers: readonly TimerRecord[];
  children: readonly ChildRecord[];
  generations: number;
  readonly #now: number;
  readonly #before: number;

  /** `now` is in milliseconds since the Unix epoch. */
  constructor(actor: Pick<Actor, "timers" | "children" | "generations">, now: number) {
    this.timers = actor.timers;
    this.children = actor.children;
    this.generations = actor.generations;
    this.#before = actor.generations;
    this.#now = now;
  }

  child(id: string): ChildRecord | undefined {
    return this.children.find((child) => child.id === id);
  }

  arm(timer: {
    readonly name: string;
    readonly delayMs: number;
    readonly event: AnyEventObject;
    readonly target?: Address;
  }): void {
    const { name, target } = timer;
    if (!Number.isFinite(timer.delayMs)) throw badDelay(name);
    const delayMs = Math.max(0, timer.delayMs);
    const generation = ++this.generations;
    const due = this.#now + delayMs;
    const event = plainEvent(timer.event);
    const optional = target === undefined ? {} : { target };
    this.timers = [...this.timers, { name, generation, due, event, ...optional }];
    this.effects.push({ kind: "arm", name, generation, delayMs, due, event, ...optional });
  }

  /** Disarms every timer of that name; one armed in this very step leaves no trace. */
  disarm(name: string): void {
    for (const timer of this.timers.filter((one) => one.name === name)) this.#disarmOne(timer);
    this.timers = this.timers.filter((one) => one.name !== name);
  }

  start(wanted: {
    readonly id: string;
    readonly source: string;
    readonly kind: ChildRecord["kind"];
    readonly input: unknown;
  }): ChildRecord {
    const { id, source, kind } = wanted;
    this.stop(id);
    const generation = ++this.generations;
    const input = plain(wanted.input, "input");
    const record: ChildRecord = { id, generation, source, kind, attempt: 1 };
    const child = input === undefined ? record : { ...record, input };
    this.children = [...this.children, child];
    this.effects.push({ kind: `start-${kind}`, id, generation, source, input });
    return child;
  }

  stop(id: string): void {
    const child = this.child(id);
    if (child === undefined) return;
    this.children = this.children.filter((one) => one !== child);
    if (child.ended) return;
    const { generation, source, kind } = child;
    this.effects.push({ kind: `stop-${kind}`, id, generation, source });
  }

  send({ to, generation }: Address, event: AnyEventObject): void {
    const optional = generation === undefined ? {} : { generation };
    this.effects.push({ kind: "send", to, ...optional, event: plainEvent(event) });
  }

  /** True when an address still means the same actor as when it was noted. */
  reaches({ to, generation }: Address): boolean {
    if (to === "#parent") return true;
    const child = this.child(to);
    return child !== undefined && child.generation === generation && child.ended === undefined;
  }

  add(effect: Effect): void {
    this.effects.push(effect);
  }

  /** Nothing outlives the actor. */
  clear(): void {
    for (const name of new Set(this.timers.map((timer) => timer.name))) this.disarm(name);
    for (const { id } of this.children) this.stop(id);
  }

  #disarmOne({ name, generation }: TimerRecord): void {
    const index =
      generation > this.#before
        ? this.effects.findIndex((one) => one.kind === "arm" && one.generation === generation)
        : -1;
    if (index >= 0) this.effects.splice(index, 1);
    else this.effects.push({ kind: "disarm", name, generation });
  }
}

/** An event as it will arrive elsewhere, or later. */
export function plainEvent(event: AnyEventObject): AnyEventObject {
  return plain(event, `event "${event.type}"`) as AnyEventObject;
}

function badDelay(name: string): WaybillError {
  return new WaybillError({
    code: "invalid-delay",
    message: `The delay of "${name}" is not a finite number of milliseconds.`,
    action: "Let the delay be a number of milliseconds.",
  });
}
