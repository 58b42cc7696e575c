import { WaybillError } from "../../errors.ts";
import { type Inspection, inspect } from "./durability.ts";
import type { RedisLink } from "./link.ts";
import type { ReplicaGate } from "./replica-gate.ts";

/** What was found out about the servers, as of late. */
export class Inspector {
  readonly #connect: () => RedisLink;
  readonly #gate: ReplicaGate;
  #found: Inspection = { durability: "memory", warnings: [], lacksReplicas: false };
  #link: RedisLink | undefined;

  /** Later inspections connect anew: leases and reads are not to wait until replicas have told what they have. */
  constructor(connect: () => RedisLink, gate: ReplicaGate) {
    this.#connect = connect;
    this.#gate = gate;
  }

  get found(): Inspection {
    return this.#found;
  }

  /** The first inspection; throws what `inspect` throws. */
  async begin(link: RedisLink): Promise<void> {
    this.#found = await inspect(link, this.#gate);
  }

  /** A commit has got the replicas that it waited for. */
  replicated(): void {
    if (this.#found.lacksReplicas) void this.again();
  }

  /** Another master may keep its data in another way, and replicas come and go. */
  async again(): Promise<void> {
    this.close();
    const link = this.#connect();
    this.#link = link;
    this.#found = { ...this.#found, lacksReplicas: false };
    try {
      this.#found = await inspect(link, this.#gate);
    } catch (error) {
      // One that cannot be reached is asked again by the next connection; until then the last answer stands.
      if (this.#link !== link || !(error instanceof WaybillError) || error.retryable) return;
      this.#found = { ...this.#found, warnings: [`${error.message} ${error.action}`] };
    } finally {
      link.close();
    }
  }

  close(): void {
    const link = this.#link;
    this.#link = undefined;
    link?.close();
  }
}
