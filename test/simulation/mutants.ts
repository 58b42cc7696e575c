import type { Store } from "../../src/store.ts";
import type { Transport } from "../../src/transport.ts";
import { cutMutants } from "./cut-mutants.ts";
import type { FaultyTransport } from "./faulty-transport.ts";
import type { Cut } from "./guard-cutter.ts";
import type { Recorder } from "./recorder.ts";
import { seamMutants } from "./seam-mutants.ts";
import type { World } from "./world.ts";

/** A system with one guard taken out, to see that the checks notice. */
export interface Mutant {
  /** The guard. */
  readonly name: string;
  /** What happens without it. */
  readonly what: string;
  /** Why nothing goes wrong without it: another guard stands behind it. */
  readonly covered?: string;
  /** What stands between the connections and the true store. */
  readonly store?: (store: Recorder, world: World) => Store;
  /** What stands between the engine and its connection. */
  readonly transport?: (transport: FaultyTransport, world: World) => Transport;
  /** The store confirms what is not safe from a loss of power yet, and does not say so. */
  readonly isUnsynced?: true;
  /** What is cut out of the engine's source; only a thread that loads the engine afterwards is without it. */
  readonly cuts?: readonly Cut[];
}

/** Each of them breaks one promise, or says why it does not. */
export const mutants: readonly Mutant[] = [...seamMutants, ...cutMutants];

/** The mutant of that name. */
export function findMutant(name: string): Mutant {
  const found = mutants.find((mutant) => mutant.name === name);
  if (found !== undefined) return found;
  const known = mutants.map((mutant) => mutant.name).join(", ");
  throw new Error(`There is no mutant "${name}"; there are ${known}.`);
}
