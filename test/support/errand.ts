import { assign, setup } from "xstate";
import { z } from "zod";
import {
  type ActivityArguments,
  type ActivityDefinition,
  type ActivityRun,
  activity,
} from "../../src/activity.ts";
import { defineWorkflow } from "../../src/workflow.ts";

/** A workflow around one activity: it ends `done` or `failed`, or is `called` off. */
export function errand(
  definition: ActivityDefinition,
  { version = "1", unhandled = false }: { version?: string; unhandled?: boolean } = {},
) {
  return defineWorkflow({
    name: "errand",
    version,
    events: { "errand.call": z.object({}) },
    machine: setup({
      types: { context: {} as { result: unknown }, events: {} as { type: "errand.call" } },
      actors: { work: activity(definition) },
    }).createMachine({
      context: { result: null },
      initial: "working",
      states: {
        working: {
          invoke: {
            id: "job",
            src: "work",
            input: { cents: 5 },
            onDone: { target: "done", actions: assign({ result: ({ event }) => event.output }) },
            ...(!unhandled && {
              onError: {
                target: "failed",
                actions: assign({ result: ({ event }) => event.error }),
              },
            }),
          },
          on: { "errand.call": "called" },
        },
        done: {},
        failed: {},
        called: {},
      },
    }),
  });
}

/** Code of an activity that notes each attempt and answers as it is told to. */
export function attempts(answer: (args: ActivityArguments, attempt: number) => unknown): {
  readonly run: ActivityRun;
  readonly seen: ActivityArguments[];
} {
  const seen: ActivityArguments[] = [];
  return {
    seen,
    run: async (args) => {
      seen.push(args);
      return answer(args, seen.length);
    },
  };
}

/** An answer that never comes, but for the abort of the signal. */
export function untilAborted({ signal }: ActivityArguments): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")));
  });
}
