import type { Clock } from "../clock.ts";
import type { Fail } from "../failpoint.ts";
import type { Ids } from "../ids.ts";
import type { Observer } from "../observer.ts";
import type { Names } from "../routing.ts";
import type { Store } from "../store.ts";
import type { Tracer } from "../tracer.ts";
import type { Transport } from "../transport.ts";
import type { Limits } from "./limits.ts";
import type { Registry } from "./registry.ts";
import type { Rollbacks } from "./rollbacks.ts";
import type { StoreClock } from "./store-clock.ts";
import type { TimeSlices } from "./time-slices.ts";
import type { TrialRoom } from "./trial-room.ts";

/** What the parts of an engine work with: the ports, and what the whole process shares. */
export interface EnginePorts {
  readonly store: Store;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly observer: Observer;
  readonly tracer: Tracer;
  readonly registry: Registry;
  readonly names: Names;
  readonly partitions: number;
  readonly storeClock: StoreClock;
  readonly rollbacks: Rollbacks;
  readonly trialRoom: TrialRoom;
  /** When partitions take up their batches. */
  readonly slices: TimeSlices;
  readonly limits: Limits;
  /** Only in tests. */
  readonly fail: Fail | undefined;
}

/** The text of anything that was thrown. */
export function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
