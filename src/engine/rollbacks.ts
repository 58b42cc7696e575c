import type { Observation, Observer } from "../observer.ts";

type Rollback = Extract<Observation, { kind: "rollback" }>;

/** The rollbacks of the store that this process has found since it was started, the last one of each partition. */
export class Rollbacks {
  readonly #observer: Observer;
  readonly #last = new Map<number, Rollback>();

  constructor(observer: Observer) {
    this.#observer = observer;
  }

  tell(found: Omit<Rollback, "kind" | "message"> & { readonly why: string }): void {
    const { why, ...facts } = found;
    const { partition, restored, lost } = facts;
    const message = `partition ${partition}: ${why}; ${restored} were restored, ${lost} are lost`;
    const rollback = { kind: "rollback", ...facts, message } as const;
    this.#last.set(partition, rollback);
    this.#observer.observe(rollback);
  }

  /** A sentence for each. They do not make a process unready: no other one, and no restart, would do better. */
  get warnings(): readonly string[] {
    return [...this.#last.values()].map(({ message }) => message);
  }
}
