import type { Store } from "../../src/store.ts";
import type { RunningEngine } from "./memory-engine.ts";

/** Takes these calls of the store away from a process until they are given back. */
export function takeStore(
  { ports: { store } }: RunningEngine,
  calls: readonly (keyof Store)[],
): () => void {
  for (const call of calls) Reflect.set(store, call, () => Promise.reject(new Error("away")));
  return () => {
    for (const call of calls) Reflect.deleteProperty(store, call);
  };
}
