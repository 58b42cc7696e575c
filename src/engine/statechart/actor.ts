import type { AnyEventObject, AnyMachineSnapshot } from "xstate";
import type { ErrorRecord } from "../../errors.ts";
import type { StateValue } from "../client.ts";

/** Where an event of this actor goes: `#parent`, or the id of a child and the start it means. */
export interface Address {
  readonly to: string;
  readonly generation?: number;
}

/** One armed timer. Several may share a name; the generation is unique in the actor. */
export interface TimerRecord {
  readonly name: string;
  readonly generation: number;
  /** Milliseconds since the Unix epoch, by the clock that gave `now` to the step. */
  readonly due: number;
  readonly event: AnyEventObject;
  /** Set when the event is for another actor than this one. */
  readonly target?: Address;
}

/** One activity or child workflow that the present state has started. */
export interface ChildRecord {
  readonly id: string;
  readonly generation: number;
  /** The name under which the machine knows its logic. */
  readonly source: string;
  readonly kind: "activity" | "child";
  readonly input?: unknown;
  readonly attempt: number;
  /** It has answered; it is kept until its state is left, so that sends to it still resolve. */
  readonly ended?: true;
}

/** The actor that started this one, and under which id and generation. */
export interface Parent {
  readonly key: string;
  readonly childId: string;
  readonly generation: number;
}

/** A workflow instance between two events, ready for the next one. Never mutated. */
export interface Actor {
  readonly key: string;
  /** 1 after the start, +1 for every event applied. */
  readonly version: number;
  readonly snapshot: AnyMachineSnapshot;
  /** In the order in which they were armed. */
  readonly timers: readonly TimerRecord[];
  /** In the order in which they were started. */
  readonly children: readonly ChildRecord[];
  /** How many generations were given out so far. */
  readonly generations: number;
  readonly parent?: Parent;
}

/** An actor as data that survives JSON. What is empty is left out. */
export interface ActorRecord {
  readonly key: string;
  readonly version: number;
  readonly fingerprint: string;
  readonly status: "active" | "done" | "error" | "stopped";
  readonly value: StateValue;
  readonly context: unknown;
  readonly generations: number;
  readonly history?: Readonly<Record<string, readonly string[]>>;
  readonly output?: unknown;
  readonly error?: ErrorRecord;
  readonly timers?: readonly TimerRecord[];
  readonly children?: readonly ChildRecord[];
  readonly parent?: Parent;
}

/** The actor with another attempt number for one of its children; of no effect when it has none of that id. */
export function withAttempt(actor: Actor, childId: string, attempt: number): Actor {
  const children = actor.children.map((child) =>
    child.id === childId ? { ...child, attempt } : child,
  );
  return { ...actor, children };
}
