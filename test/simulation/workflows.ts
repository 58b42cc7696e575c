import { assign, emit, sendParent, sendTo, setup } from "xstate";
import { z } from "zod";
import { activity } from "../../src/activity.ts";
import { defineWorkflow, type EventsOf, type Workflow } from "../../src/workflow.ts";
import { ledger, vigil, vigil2 } from "./lasting-workflows.ts";

const retry = { maxAttempts: 200, initial: 50, factor: 1.5, max: 400 } as const;

/** Code that a simulation replaces by its own, which takes virtual time and fails now and then. */
const placeholder = (): string => "done";

const fetchParts = activity<string>({ run: placeholder, retry, startToClose: "2s" });
const craft = activity<string>({
  run: placeholder,
  local: false,
  retry,
  startToClose: "1500ms",
  scheduleToClose: "4s",
});
/** Without a limit for all attempts: if its task is lost, nobody ever asks for it again. */
const nap = activity<string>({ run: placeholder, local: false, retry, startToClose: "1500ms" });

const helper = setup({}).createMachine({
  initial: "busy",
  on: { "helper.told": {} },
  states: {
    busy: { after: { 150: "told" } },
    told: { entry: sendParent({ type: "helper.progress" }), after: { 50: "done" } },
    done: { type: "final" },
  },
});

const note = z.object({ errand: z.string(), sender: z.string(), number: z.number() });
const trip = z.object({ errand: z.string() });
const errandEvents = {
  "errand.note": {
    schema: note,
    correlate: ({ errand }: z.infer<typeof note>) => errand,
    unaccepted: "defer" as const,
  },
  /** Makes every errand fail that is not at its end. */
  "errand.trip": {
    schema: trip,
    correlate: ({ errand }: z.infer<typeof trip>) => errand,
  },
  "errand.go": z.object({}),
  "errand.cancel": z.object({}),
  "errand.praise": z.object({}),
  "errand.answered": z.object({ words: z.string() }),
};
const errandEmits = {
  "errand.asked": { schema: z.object({ round: z.number() }), reply: "errand.answered" },
  "errand.finished": z.object({ notes: z.array(z.string()) }),
};

interface ErrandContext {
  readonly notes: readonly string[];
  readonly nudges: number;
  readonly hurries: number;
  readonly round: number;
}

const errandMachine = setup({
  types: {
    context: {} as ErrandContext,
    events: {} as EventsOf<typeof errandEvents> | { type: "helper.progress" },
    emitted: {} as
      | { type: "errand.asked"; round: number }
      | { type: "errand.finished"; notes: readonly string[] },
  },
  actors: { fetchParts, craft, nap, helper },
  actions: {
    write: assign({
      notes: ({ context, event }) =>
        event.type === "errand.note"
          ? [...context.notes, `${event.sender}${event.number}`]
          : context.notes,
    }),
  },
  guards: {
    patient: ({ context }) => context.nudges < 3,
    rests: () => false,
    trips: () => {
      throw new Error("it fell over its own feet");
    },
  },
}).createMachine({
  context: { notes: [], nudges: 0, hurries: 0, round: 0 },
  initial: "waiting",
  on: { "errand.cancel": ".cancelled", "errand.trip": { guard: "trips" } },
  states: {
    waiting: {
      on: { "errand.go": "asking", "errand.note": { actions: "write" } },
      // Entered again and again, so that timers of earlier visits are called off.
      after: {
        400: {
          guard: "patient",
          target: "waiting",
          reenter: true,
          actions: assign({ nudges: ({ context }) => context.nudges + 1 }),
        },
        // Long overdue, it must not be taken for that of the visit which the first one has begun.
        430: { actions: assign({ hurries: ({ context }) => context.hurries + 1 }) },
        9_000: "asking",
      },
    },
    asking: {
      entry: [
        assign({ round: ({ context }) => context.round + 1 }),
        emit(({ context }) => ({ type: "errand.asked", round: context.round })),
      ],
      on: { "errand.answered": "fetching", "errand.note": { actions: "write" } },
      after: { 1_200: { target: "asking", reenter: true } },
    },
    // Notes are deferred here.
    fetching: { invoke: { id: "fetch", src: "fetchParts", onDone: "crafting" } },
    crafting: {
      on: { "errand.praise": {} },
      invoke: { id: "craft", src: "craft", onDone: "delegating", onError: "delegating" },
    },
    delegating: {
      on: {
        "errand.note": { actions: ["write", sendTo("helper", { type: "helper.told" })] },
        "helper.progress": {},
      },
      invoke: {
        id: "helper",
        src: "helper",
        onDone: [{ guard: "rests", target: "resting" }, { target: "finished" }],
      },
    },
    resting: { invoke: { id: "nap", src: "nap", onDone: "finished", onError: "finished" } },
    finished: {
      type: "final",
      entry: emit(({ context }) => ({ type: "errand.finished", notes: context.notes })),
    },
    cancelled: { type: "final" },
  },
});

/** Nearly everything that a workflow can ask for, one after the other. */
const errand = defineWorkflow({
  name: "errand",
  version: "1",
  machine: errandMachine,
  events: errandEvents,
  emits: errandEmits,
});

/** Its next version rests before it ends. */
const errand2 = defineWorkflow({
  name: "errand",
  version: "2",
  machine: errandMachine.provide({ guards: { rests: () => true } }),
  events: errandEvents,
  emits: errandEmits,
});

const posted = z.object({ parcel: z.string() });
const scanned = z.object({ parcel: z.string(), sender: z.string(), number: z.number() });
const parcelEvents = {
  "parcel.posted": posted,
  "parcel.scanned": {
    schema: scanned,
    correlate: ({ parcel }: z.infer<typeof scanned>) => parcel,
    missing: "park" as const,
    unaccepted: "ignore" as const,
  },
};

const parcelMachine = setup({
  types: {
    context: {} as { readonly scans: readonly string[] },
    events: {} as EventsOf<typeof parcelEvents>,
    emitted: {} as { type: "parcel.ended"; scans: readonly string[] },
  },
  actions: {
    write: assign({
      scans: ({ context, event }) =>
        event.type === "parcel.scanned"
          ? [...context.scans, `${event.sender}${event.number}`]
          : context.scans,
    }),
  },
  guards: { third: ({ context }) => context.scans.length >= 2 },
}).createMachine({
  context: { scans: [] },
  initial: "underway",
  states: {
    underway: {
      on: {
        "parcel.scanned": [
          { guard: "third", target: "delivered", actions: "write" },
          { actions: "write" },
        ],
      },
      after: { 3_000: "overdue" },
    },
    overdue: {
      on: { "parcel.scanned": { target: "delivered", actions: "write" } },
      after: { 2_000: "missing" },
    },
    delivered: {
      type: "final",
      entry: emit(({ context }) => ({ type: "parcel.ended", scans: context.scans })),
    },
    missing: {
      type: "final",
      entry: emit(({ context }) => ({ type: "parcel.ended", scans: context.scans })),
    },
  },
});

/** Started and moved by events that other services publish; what comes too early is kept for it. */
const parcel = defineWorkflow({
  name: "parcel",
  version: "1",
  machine: parcelMachine,
  input: posted,
  startedBy: ["parcel.posted"],
  instanceId: (input) => input.parcel,
  events: parcelEvents,
  emits: { "parcel.ended": z.object({ scans: z.array(z.string()) }) },
});

/** Which versions of the workflows a process has. */
export type CodeBase = "old" | "both" | "new";

export const workflowsOf: Readonly<Record<CodeBase, readonly Workflow[]>> = {
  old: [errand, parcel, vigil, ledger],
  both: [errand, errand2, parcel, vigil, vigil2, ledger],
  new: [errand2, parcel, vigil2, ledger],
};
