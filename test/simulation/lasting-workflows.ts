import { assign, setup } from "xstate";
import { z } from "zod";
import { activity } from "../../src/activity.ts";
import { defineWorkflow, type EventsOf } from "../../src/workflow.ts";

const retry = { maxAttempts: 200, initial: 50, factor: 1.5, max: 400 } as const;

/** Code that a simulation replaces by its own. */
const placeholder = (): string => "done";

const keepWatch = activity<string>({
  run: placeholder,
  local: false,
  retry,
  startToClose: "4s",
  heartbeat: "400ms",
});
/** Nobody asks whether it is still wanted while it runs, so that its results come late. */
const doze = activity<{ readonly input: number }, number>({
  run: () => ({ input: 0 }),
  local: false,
  retry,
  startToClose: "4s",
});

const vigilMachine = setup({
  types: { context: {} as { readonly rounds: number } },
  actors: { keepWatch, doze },
  guards: {
    tired: ({ context }) => context.rounds >= 3,
    ofThisRound: ({ context, event }) =>
      (event as unknown as { output: { input: number } }).output.input === context.rounds,
  },
}).createMachine({
  context: { rounds: 0 },
  initial: "settling",
  states: {
    // Nothing but the result leads on from here.
    settling: {
      invoke: {
        id: "settle",
        src: "keepWatch",
        onDone: "watching",
        onError: "watching",
      },
    },
    watching: {
      entry: assign({ rounds: ({ context }) => context.rounds + 1 }),
      invoke: [
        { id: "watch", src: "keepWatch", onDone: "relieved" },
        {
          id: "doze",
          src: "doze",
          input: ({ context }) => context.rounds,
          onDone: [{ guard: "ofThisRound" }, { target: "mistaken" }],
        },
      ],
      // Leaves work that workers may be at just then.
      after: {
        700: [
          { guard: "tired", target: "asleep" },
          { target: "watching", reenter: true },
        ],
      },
    },
    relieved: { type: "final" },
    asleep: { type: "final" },
    /** Took the result of an earlier round for that of this one. */
    mistaken: { type: "final" },
  },
});

/** Calls its activities off again and again. */
export const vigil = defineWorkflow({
  name: "vigil",
  version: "1",
  machine: vigilMachine,
  events: {},
});

/** Its next version does the same; whoever has only the one cannot run instances of the other. */
export const vigil2 = defineWorkflow({
  name: "vigil",
  version: "2",
  machine: vigilMachine,
  events: {},
});

const entry = z.object({ ledger: z.string(), sender: z.string(), number: z.number() });
const ledgerEvents = {
  "ledger.entry": {
    schema: entry,
    correlate: ({ ledger }: z.infer<typeof entry>) => ledger,
    unaccepted: "ignore" as const,
  },
};

const ledgerMachine = setup({
  types: {
    context: {} as { readonly entries: number },
    events: {} as EventsOf<typeof ledgerEvents>,
  },
}).createMachine({
  context: { entries: 0 },
  initial: "open",
  states: {
    open: {
      on: {
        "ledger.entry": { actions: assign({ entries: ({ context }) => context.entries + 1 }) },
      },
      after: { 13_000: "closed" },
    },
    closed: { type: "final" },
  },
});

/** Open for longer than short inboxes remember what it was told. */
export const ledger = defineWorkflow({
  name: "ledger",
  version: "1",
  machine: ledgerMachine,
  events: ledgerEvents,
});
