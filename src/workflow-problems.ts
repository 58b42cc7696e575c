import type { AnyStateMachine } from "xstate";
import { toMs } from "./duration.ts";
import { isWorkflowName } from "./message.ts";
import type { WorkflowDefinition } from "./workflow-definition.ts";
import { messageProblems } from "./workflow-events.ts";
import { machineProblems } from "./workflow-machine.ts";
import { isMachine } from "./workflow-states.ts";

/** Everything about a definition that cannot be durable or would go wrong in silence; empty when all is well. */
export function workflowProblems(definition: WorkflowDefinition): readonly string[] {
  const { machine } = definition;
  if (!isMachine(machine)) return ["`machine` is not an XState machine."];
  return [
    ...nameProblems(definition),
    ...retentionProblems(definition),
    ...switchProblems(definition),
    ...machineProblems(machine, true),
    ...messageProblems(definition),
    ...childProblems(definition.name, machine, new Set([machine])),
  ];
}

function nameProblems({ name, version }: WorkflowDefinition): readonly string[] {
  const problems: string[] = [];
  if (!isWorkflowName(name)) {
    problems.push(`The name "${name}" is not 1 to 64 of A-Z a-z 0-9 . _ -`);
  }
  if (!isWorkflowName(version)) {
    problems.push(`The version "${version}" is not 1 to 64 of A-Z a-z 0-9 . _ -`);
  }
  return problems;
}

function retentionProblems({ retention }: WorkflowDefinition): readonly string[] {
  if (retention === undefined) return [];
  try {
    toMs(retention);
    return [];
  } catch {
    return [
      `The retention "${retention}" is no duration such as "7d" or a number of milliseconds.`,
    ];
  }
}

function switchProblems({ history, indexed }: WorkflowDefinition): readonly string[] {
  return Object.entries({ history, indexed }).flatMap(([name, value]: [string, unknown]) =>
    value === undefined || typeof value === "boolean"
      ? []
      : [`\`${name}\` is neither true nor false.`],
  );
}

function childProblems(
  name: string,
  machine: AnyStateMachine,
  seen: Set<AnyStateMachine>,
): readonly string[] {
  return Object.entries(machine.implementations.actors).flatMap(([source, logic]) => {
    if (!isMachine(logic) || seen.has(logic)) return [];
    seen.add(logic);
    const childName = `${name}.${source}`;
    const isNamed = isWorkflowName(childName);
    const misnamed = `The child workflow "${childName}" is not 1 to 64 of A-Z a-z 0-9 . _ -`;
    return [
      ...(isNamed ? [] : [misnamed]),
      ...machineProblems(logic, false).map((text) => `${childName}: ${text}`),
      ...childProblems(childName, logic, seen),
    ];
  });
}
