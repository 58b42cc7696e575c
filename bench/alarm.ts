import { emit, setup } from "xstate";
import { z } from "zod";
import { defineWorkflow } from "../src/index.ts";

const input = z.object({ id: z.string(), delayMs: z.number() });
const told = z.object({ id: z.string() });

/** Starts an alarm; it says `alarm.set` when its timer is armed, and `alarm.rang` when that has fired. */
export const alarmStart = "alarm.start";
export const alarmSet = "alarm.set";
export const alarmRang = "alarm.rang";

const machine = setup({
  types: {
    input: {} as z.infer<typeof input>,
    context: {} as z.infer<typeof input>,
    emitted: {} as { type: typeof alarmSet; id: string } | { type: typeof alarmRang; id: string },
  },
  delays: { asTold: ({ context }) => context.delayMs },
  actions: {
    set: emit(({ context }) => ({ type: alarmSet, id: context.id })),
    ring: emit(({ context }) => ({ type: alarmRang, id: context.id })),
  },
}).createMachine({
  context: ({ input: given }) => given,
  entry: "set",
  initial: "waiting",
  states: { waiting: { after: { asTold: { target: "rung", actions: "ring" } } }, rung: {} },
});

export const alarm = defineWorkflow({
  name: "alarm",
  version: "1",
  machine,
  input,
  startedBy: [alarmStart],
  instanceId: ({ id }) => id,
  events: {},
  emits: { [alarmSet]: told, [alarmRang]: told },
});
