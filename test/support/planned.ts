import type { Arrival } from "../../src/engine/arrival.ts";
import type { Instance } from "../../src/engine/instance.ts";
import { apply } from "../../src/engine/plan/apply.ts";
import { Plan, type PlanContext } from "../../src/engine/plan/plan.ts";
import { Registry } from "../../src/engine/registry.ts";
import { namesFor } from "../../src/routing.ts";
import { silentTracer } from "../../src/tracer.ts";
import type { Workflow } from "../../src/workflow.ts";

/** Plans batches for instances that live in a map; nothing is committed or sent. */
export class Planner {
  readonly registry: Registry;
  readonly instances = new Map<string, Instance>();
  now = 1_000_000;
  #ids = 0;
  #nextSeq = 1;

  constructor(workflows: readonly Workflow[]) {
    this.registry = new Registry(workflows);
  }

  /** The plan of one batch, which the next batch builds on. */
  batch(arrivals: readonly Arrival[], change: Partial<PlanContext> = {}): Plan {
    const plan = new Plan({ ...this.#context(), ...change }, this.instances);
    for (const arrival of arrivals) apply(plan, arrival);
    plan.toCommit();
    for (const { key, current } of plan.drafts.values()) {
      if (current === undefined) this.instances.delete(key);
      else this.instances.set(key, current);
    }
    this.#nextSeq = plan.nextSeq;
    return plan;
  }

  #context(): PlanContext {
    return {
      registry: this.registry,
      names: namesFor("waybill"),
      partition: 0,
      partitions: 1,
      now: this.now,
      inboxWindowMs: 86_400_000,
      missingInstanceWaitMs: 900_000,
      nextSeq: this.#nextSeq,
      handled: new Set(),
      tooOld: new Set(),
      isAlone: false,
      letters: new Map(),
      tracer: silentTracer,
      newId: () => `id-${++this.#ids}`,
    };
  }
}

/** Something for an instance, with what every arrival has. */
export function arrivalFor<Kind extends Arrival["kind"]>(
  kind: Kind,
  key: string,
  rest: Omit<Extract<Arrival, { kind: Kind }>, "kind" | "key" | "trace" | "receipt"> &
    Partial<Pick<Arrival, "receipt">>,
): Arrival {
  return { kind, key, trace: {}, receipt: {}, ...rest } as unknown as Arrival;
}
