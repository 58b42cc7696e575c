import { createHash } from "node:crypto";
import { assign, emit, setup } from "xstate";
import { z } from "zod";
import { type ActivityArguments, activity } from "../../src/activity.ts";
import { defineWorkflow, type EventsOf } from "../../src/workflow.ts";

const retry = { maxAttempts: 500, initial: 50, factor: 1.5, max: 400 } as const;

/** Takes up to 90 ms, and fails on every seventh first attempt: the same on each run of the same instance. */
async function work({ idempotencyKey, attempt, heartbeat }: ActivityArguments): Promise<string> {
  const lot = createHash("md5").update(idempotencyKey).digest().readUInt16BE() % 997;
  await new Promise((resolve) => {
    setTimeout(resolve, lot % 90);
  });
  heartbeat();
  if (attempt === 1 && lot % 7 === 0) throw new Error("no luck this time");
  return idempotencyKey;
}

const sight = activity<string>({ run: work, retry, startToClose: "2s" });
const unload = activity<string>({
  run: work,
  local: false,
  retry,
  startToClose: "2s",
  heartbeat: "1s",
});

const ordered = z.object({ voyage: z.string(), notes: z.number() });
const noted = z.object({
  voyage: z.string(),
  sender: z.string(),
  number: z.number(),
  harm: z.enum(["throw", "kill"]).optional(),
});
const voyageEvents = {
  "voyage.ordered": ordered,
  "voyage.noted": {
    schema: noted,
    correlate: ({ voyage }: z.infer<typeof noted>) => voyage,
    missing: "park" as const,
    unaccepted: "defer" as const,
  },
};

interface VoyageContext {
  readonly expected: number;
  readonly notes: readonly string[];
}

const note = { guard: "harmless", actions: ["write", "log"] } as const;

const voyageMachine = setup({
  types: {
    context: {} as VoyageContext,
    input: {} as z.infer<typeof ordered>,
    events: {} as EventsOf<typeof voyageEvents>,
    emitted: {} as
      | { type: "voyage.logged"; sender: string; number: number; after: number }
      | { type: "voyage.ended"; notes: readonly string[] },
  },
  actors: { sight, unload },
  actions: {
    write: assign({
      notes: ({ context, event }) =>
        event.type === "voyage.noted"
          ? [...context.notes, `${event.sender}${event.number}`]
          : context.notes,
    }),
    log: emit(({ context, event }) => {
      const { sender, number } = event as z.infer<typeof noted>;
      return { type: "voyage.logged" as const, sender, number, after: context.notes.length };
    }),
  },
  guards: {
    complete: ({ context }) => context.notes.length >= context.expected,
    harmless: ({ event }) => {
      const harm = event.type === "voyage.noted" ? event.harm : undefined;
      if (harm === "throw") throw new Error("it fell over its own feet");
      // Only where that was asked for: an oracle that plays the event again lives on.
      if (harm === "kill" && process.env["CHAOS_MAY_DIE"]) process.kill(process.pid, "SIGKILL");
      return true;
    },
  },
}).createMachine({
  context: ({ input }) => ({ expected: input.notes, notes: [] }),
  initial: "loading",
  states: {
    loading: { on: { "voyage.noted": note }, after: { 300: "sighting" } },
    // Notes are deferred here.
    sighting: { invoke: { id: "sight", src: "sight", onDone: "anchored" } },
    anchored: { on: { "voyage.noted": note }, after: { 200: "unloading" } },
    unloading: {
      on: { "voyage.noted": note },
      invoke: { id: "unload", src: "unload", onDone: "waiting", onError: "waiting" },
    },
    waiting: {
      always: { guard: "complete", target: "ended" },
      on: { "voyage.noted": note },
    },
    ended: {
      type: "final",
      entry: emit(({ context }) => ({ type: "voyage.ended", notes: context.notes })),
    },
  },
});

/** Takes a known number of notes from several senders, with timers, a local and a queued activity on the way. */
export const voyage = defineWorkflow({
  name: "voyage",
  version: "1",
  machine: voyageMachine,
  input: ordered,
  startedBy: ["voyage.ordered"],
  instanceId: (input) => input.voyage,
  events: voyageEvents,
  emits: {
    "voyage.logged": z.object({ sender: z.string(), number: z.number(), after: z.number() }),
    "voyage.ended": z.object({ notes: z.array(z.string()) }),
  },
});

const beat = z.object({ sender: z.string(), number: z.number() });
const pulseEvents = { "pulse.beat": beat };

/** Never ends, and answers each event with one: shows when its partition is at work. */
export const pulse = defineWorkflow({
  name: "pulse",
  version: "1",
  machine: setup({
    types: {
      events: {} as EventsOf<typeof pulseEvents>,
      emitted: {} as { type: "pulse.felt"; number: number },
    },
  }).createMachine({
    on: {
      "pulse.beat": {
        actions: emit(({ event }) => ({ type: "pulse.felt" as const, number: event.number })),
      },
    },
  }),
  events: pulseEvents,
  emits: { "pulse.felt": z.object({ number: z.number() }) },
});

export const chaosWorkflows = [voyage, pulse];
