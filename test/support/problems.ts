import { createMachine } from "xstate";
import { WaybillError } from "../../src/errors.ts";
import { defineWorkflow, type WorkflowDefinition } from "../../src/workflow.ts";

/** The problems of a machine; `parts` are its implementations. */
export function problemsOf(
  config: object,
  parts: object = {},
  rest: Partial<WorkflowDefinition> = {},
): readonly string[] {
  return problemsOfDefinition({ ...rest, machine: machineOf(config, parts) });
}

export function problemsOfDefinition(definition: Partial<WorkflowDefinition>): readonly string[] {
  try {
    defineWorkflow({ name: "w", version: "1", machine: machineOf({}), events: {}, ...definition });
  } catch (error) {
    if (error instanceof WaybillError && error.code === "invalid-workflow") return error.problems;
    throw error;
  }
  return [];
}

export function machineOf(config: object, parts: object = {}): WorkflowDefinition["machine"] {
  return createMachine({ id: "m", context: {}, ...config } as never, parts as never) as never;
}
