import type { ActivityOptions } from "../activity.ts";
import { WaybillError } from "../errors.ts";
import type { Workflow } from "../workflow.ts";
import { Stepper } from "./step.ts";

/** A workflow in one version, with what runs it. */
export interface Definition {
  readonly workflow: Workflow;
  readonly stepper: Stepper;
}

/** The policy of an activity by its name in the machine. */
export function policyOf({ workflow }: Definition, source: string): ActivityOptions {
  const rule = workflow.activities.get(source);
  if (rule !== undefined) return rule.options;
  throw new WaybillError({
    code: "unknown-activity",
    message: `${workflow.name}@${workflow.version} has no activity "${source}".`,
    action: "Register the version of the workflow that has it.",
  });
}

/** The definitions that a process knows, child workflows among them. */
export class Registry {
  readonly #byName = new Map<string, Map<string, Definition>>();
  readonly #latest = new Map<string, Definition>();

  /** @throws WaybillError `invalid-configuration` when a name and version stand there twice. */
  constructor(workflows: readonly Workflow[]) {
    for (const workflow of workflows) this.#add(workflow);
  }

  /** The definition of that version; without one the version registered last. */
  find(name: string, version?: string): Definition | undefined {
    if (version === undefined) return this.#latest.get(name);
    return this.#byName.get(name)?.get(version);
  }

  /**
   * The version registered last.
   * @throws WaybillError `unknown-workflow`
   */
  latest(name: string): Definition {
    const found = this.find(name);
    if (found !== undefined) return found;
    const known = [...this.#byName.keys()].join(", ");
    throw new WaybillError({
      code: "unknown-workflow",
      message: `There is no workflow "${name}" here.`,
      action: known === "" ? "Register a workflow first." : `Use one of: ${known}.`,
    });
  }

  versions(name: string): readonly string[] {
    return [...(this.#byName.get(name)?.keys() ?? [])];
  }

  /** Every definition, in the order of registration. */
  all(): readonly Definition[] {
    return [...this.#byName.values()].flatMap((versions) => [...versions.values()]);
  }

  names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  #add(workflow: Workflow): void {
    const versions = this.#byName.get(workflow.name) ?? new Map<string, Definition>();
    const known = versions.get(workflow.version)?.workflow;
    // A machine may have itself among its actors.
    if (known === workflow) return;
    if (known !== undefined) {
      throw new WaybillError({
        code: "invalid-configuration",
        message: `The workflow ${workflow.name}@${workflow.version} is registered twice.`,
        action: "Give one of them another name or version.",
      });
    }
    const definition = { workflow, stepper: new Stepper(workflow) };
    versions.set(workflow.version, definition);
    this.#latest.set(workflow.name, definition);
    this.#byName.set(workflow.name, versions);
    for (const child of workflow.children.values()) this.#add(child);
  }
}
