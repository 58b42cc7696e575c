/*
 * The engine's protocol with all that does not matter taken out: one partition, one instance, two processes that can
 * own it. Text stands for lists, so that states are small and never change: an event is a letter, a message its
 * letter and the time it was accepted (`a0`), an effect the version that asked for it and its letter (`1a`), a timer
 * its name, generation and due time (`p12`). Instead of a number, an epoch is the present one or not.
 */

/** What keeps the promises. Each can be taken away. */
export interface Guards {
  /** The store refuses a commit of an owner that has been replaced. */
  readonly epoch: boolean;
  /** The store refuses a commit whose instance has changed since it was read. */
  readonly version: boolean;
  /** The store remembers handled messages, and refuses their copies. */
  readonly inbox: boolean;
  /** It refuses messages that are older than its memory. */
  readonly age: boolean;
  /** It knows a repeated commit by its id. */
  readonly commitId: boolean;
  /** An owner that had to repeat a commit claims again, so that a late copy of it is fenced. */
  readonly endAfterResend: boolean;
  /** Messages are acknowledged only after the commit. */
  readonly ackAfterCommit: boolean;
  /** Effects leave only after the commit. */
  readonly publishAfterCommit: boolean;
  /** The store answers only when the commit is on the disk. */
  readonly fsync: boolean;
  /** A claim publishes again what the outbox still holds. */
  readonly redrive: boolean;
  /** What could not be confirmed is published again. */
  readonly confirm: boolean;
  /** Partitions are claimed by a timer loop with a lease, not when a message happens to come. */
  readonly lease: boolean;
  /** Owners look for due timers once a second, whether or not a wake-up has come. */
  readonly sweep: boolean;
  /** Wake-ups go through delay queues. */
  readonly wakeUps: boolean;
  /** A timer of an earlier visit of its state is known by its generation. */
  readonly generation: boolean;
}

/** How often each trouble may strike. */
export interface Faults {
  readonly crash: number;
  /** A frozen owner's lease runs out, and it goes on afterwards as if nothing had been. */
  readonly freeze: number;
  /** The broker gives up an owner's connection, and the owner does not know yet. */
  readonly link: number;
  /** An owner does not wait for the answer to a commit any longer, though it or the commit may still come. */
  readonly timeout: number;
  /** A command is lost before the store sees it. */
  readonly command: number;
  /** The broker has a message, but its confirm is lost. */
  readonly confirm: number;
  /** A sender publishes once more what it has published before. */
  readonly copy: number;
  readonly wakeUp: number;
  readonly power: number;
}

/** What there is to do. */
export interface Scenario {
  /** Messages that wait in the queue. */
  readonly queue: string;
  /** Events that will be published at some time, in this order. */
  readonly later: string;
  /** Messages that a sender may publish once more. */
  readonly copied: string;
  /** With timers, the instance is entered anew each time that one fires, and ends after the second. */
  readonly timers: boolean;
  /** The clock stops here. */
  readonly lastTime: number;
  readonly faults: Faults;
}

/** An instance: the events and timers it has taken, and when the timers of its present generation are due. */
export interface Instance {
  readonly taken: string;
  readonly due: number;
}

export interface Store {
  readonly instance: Instance;
  /** Only ever appended to, so that it tells when an instance was overwritten. */
  readonly history: string;
  readonly inbox: string;
  readonly outbox: string;
  readonly timers: string;
  readonly deadLetters: string;
  readonly lastCommit: number;
}

export interface Commit {
  readonly id: number;
  readonly expected: number;
  readonly instance: Instance;
  readonly steps: string;
  readonly inbox: string;
  readonly outboxAdded: string;
  readonly outboxSettled: string;
  readonly armed: string;
  readonly disarmed: string;
  readonly deadLetters: string;
  /** No timer of it may fire before. */
  readonly notBefore: number;
}

/** A commit on its way to the store. */
export interface Command {
  readonly by: number;
  readonly epochIsPresent: boolean;
  readonly commit: Commit;
}

export interface Answer {
  readonly kind: "committed" | "fenced" | "conflict" | "duplicate" | "too-old";
  readonly events: string;
}

/** A batch that is being committed. */
export interface Flight {
  readonly messages: string;
  readonly rows: string;
  readonly commit: Commit;
  readonly answer: Answer | undefined;
  readonly resent: boolean;
}

export interface Owner {
  readonly epochIsPresent: boolean;
  readonly cache: Instance | undefined;
  readonly intake: string;
  readonly rows: string;
  readonly flight: Flight | undefined;
  /** Effects that wait for the broker, and those that it has confirmed. */
  readonly outbox: string;
  readonly confirmed: string;
  /** Events that the store has refused. */
  readonly handled: string;
  readonly tooOld: string;
  readonly isAwake: boolean;
}

/** A process that owns nothing, or has started again after a crash, is idle. */
export type Process = Owner | "idle";

export interface State {
  readonly store: Store;
  /** What a power cut leaves of the store. */
  readonly saved: Store;
  readonly queue: string;
  readonly later: string;
  /** Processes that consume, in order; the first is the active one. */
  readonly consumers: string;
  readonly unacked: readonly [string, string];
  readonly leaseholder: number | undefined;
  readonly processes: readonly [Process, Process];
  readonly wire: readonly Command[];
  /** Due times of wake-ups that are under way. */
  readonly wakeUps: string;
  /** Effects that have reached the world, copies left out. */
  readonly delivered: string;
  readonly clock: number;
  readonly left: Faults;
  readonly nextCommit: number;
  /** The promise that was broken. */
  readonly broken: string | undefined;
}

export const windowTime = 1;
const lastGeneration = 3;

/** How often the instance was entered. */
export function generationOf({ taken }: Instance): number {
  return 1 + taken.replaceAll(/[^p-q]/g, "").length;
}

/** The timers that an instance has when it is entered. */
export function timersOf(instance: Instance): string {
  const generation = generationOf(instance);
  if (generation >= lastGeneration) return "";
  return `p${generation}${instance.due}q${generation}${instance.due}`;
}

/** The pieces of a text that stands for a list. */
export function pieces(list: string, size: number): readonly string[] {
  const found: string[] = [];
  for (let at = 0; at < list.length; at += size) found.push(list.slice(at, at + size));
  return found;
}

/** A list without these pieces. */
export function without(list: string, size: number, gone: string): string {
  if (gone === "" || list === "") return list;
  const away = new Set(pieces(gone, size));
  return pieces(list, size)
    .filter((piece) => !away.has(piece))
    .join("");
}

/** Where everything begins: nobody owns the partition. */
export function initial({ queue, later, timers, faults }: Scenario): State {
  const instance = { taken: "", due: 1 };
  const store = {
    instance,
    history: "",
    inbox: "",
    outbox: "",
    timers: timers ? timersOf(instance) : "",
    deadLetters: "",
    lastCommit: 0,
  };
  return {
    store,
    saved: store,
    queue,
    later,
    consumers: "",
    unacked: ["", ""],
    leaseholder: undefined,
    processes: ["idle", "idle"],
    wire: [],
    wakeUps: "",
    delivered: "",
    clock: 0,
    left: faults,
    nextCommit: 1,
    broken: undefined,
  };
}
