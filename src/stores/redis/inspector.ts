import { WaybillError } from "../../errors.ts";
import { type Inspection, inspect, shortfallWarning } from "./durability.ts";
import { TooFewReplicas } from "./failures.ts";
import type { RedisLink } from "./link.ts";
import type { ReplicaGate } from "./replica-gate.ts";

/** What was found out about the servers, as of late. */
export class Inspector {
  readonly #gate: ReplicaGate;
  #found: Inspection = { durability: "memory", warnings: [], lacksReplicas: false };

  constructor(gate: ReplicaGate) {
    this.#gate = gate;
  }

  get found(): Inspection {
    return this.#found;
  }

  /** Throws what `inspect` throws. */
  async begin(link: RedisLink): Promise<void> {
    this.#found = await inspect(link, this.#gate);
  }

  /** Another master may keep its data in another way, and replicas come and go. */
  async again(link: RedisLink): Promise<void> {
    try {
      await this.begin(link);
    } catch (error) {
      // One that cannot be reached is asked again by the next connection; until then the last answer stands.
      if (!(error instanceof WaybillError) || error.retryable) return;
      this.#found = { ...this.#found, warnings: [`${error.message} ${error.action}`] };
    }
  }

  /** Something was written, so that replicas have it where it waits for them. */
  wrote(link: RedisLink): void {
    if (this.#found.lacksReplicas) void this.#foundReplicas(link);
  }

  /** Something was not written, or nobody knows. */
  failed(error: unknown): void {
    if (error instanceof TooFewReplicas) this.#lacks(error);
  }

  #foundReplicas(link: RedisLink): Promise<void> {
    // Others that come through meanwhile need not ask as well.
    this.#found = { ...this.#found, lacksReplicas: false };
    return this.again(link);
  }

  #lacks(shortfall: TooFewReplicas): void {
    if (this.#found.lacksReplicas) return;
    const warnings = [...this.#found.warnings, shortfallWarning(shortfall)];
    this.#found = { ...this.#found, warnings, lacksReplicas: true };
  }
}
