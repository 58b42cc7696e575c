import { type ErrorRecord, WaybillError } from "../../errors.ts";
import type { DryRun } from "../client.ts";
import { type Instance, statusOf } from "../instance.ts";
import type { Definition } from "../registry.ts";
import type { Effect } from "../statechart/effects.ts";

/** What an event would do to an instance. Nothing is done. */
export function dryRun(
  on: {
    readonly key: string;
    readonly instance: Instance;
    readonly definition: Definition | undefined;
  },
  event: { readonly type: string; readonly payload: Readonly<Record<string, unknown>> },
  now: number,
): DryRun {
  const { instance, definition } = on;
  if (definition === undefined || instance.actor === undefined) {
    throw instance.sealed?.why ?? new Error(`${on.key} does not run`);
  }
  const { stepper } = definition;
  const result = stepper.apply(instance.actor, { ...event.payload, type: event.type }, now);
  if (result.kind === "refused" && result.reason === "threw") throw wouldThrow(event.type, result);
  const { actor, handled, effects } =
    result.kind === "applied" ? result : { actor: instance.actor, handled: false, effects: [] };
  const view = stepper.view(actor);
  return {
    accepted: handled,
    state: view.value,
    status: statusOf(instance, view.status),
    ...summary(effects),
  };
}

function wouldThrow(type: string, { error }: { readonly error?: ErrorRecord }): WaybillError {
  return new WaybillError({
    code: "event-threw",
    message: `${type} would make the machine throw: ${error?.message ?? "it does not say why"}`,
    action: "Mend the guard or expression that throws, or send another payload.",
  });
}

function summary(effects: readonly Effect[]): Omit<DryRun, "accepted" | "state" | "status"> {
  return {
    emits: effects.flatMap((effect) => {
      if (effect.kind !== "emit") return [];
      const { type, ...payload } = effect.event;
      return [{ type, payload }];
    }),
    timersArmed: effects.flatMap((effect) =>
      effect.kind === "arm" ? [{ name: effect.name, delayMs: effect.delayMs }] : [],
    ),
    timersCancelled: effects.flatMap((effect) => (effect.kind === "disarm" ? [effect.name] : [])),
    activitiesStarted: effects.flatMap((effect) =>
      effect.kind === "start-activity" || effect.kind === "start-child"
        ? [{ name: effect.source, input: effect.input }]
        : [],
    ),
    activitiesStopped: effects.flatMap((effect) =>
      effect.kind === "stop-activity" || effect.kind === "stop-child" ? [effect.source] : [],
    ),
  };
}
