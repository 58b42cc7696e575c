import type { Workflow } from "../workflow.ts";
import type { Definition } from "./registry.ts";
import type { Actor } from "./statechart/actor.ts";

/** The term under which `list` finds instances that nothing known can move. */
export const stuckTerm = "stuck:true";

/** What an operator can do for such an instance. */
export const stuckAction =
  "End it with POST …/terminate; for those to come give its state a way out (an event, `after` or `invoke`) in a new version.";

/**
 * Why nothing known can move an active instance: one sentence, undefined while something can. Whatever may move it
 * counts as if it will: guards are left aside, and a parent may send all that the state reacts to.
 */
export function whyStuck(
  actor: Actor,
  { workflow, stepper }: Pick<Definition, "workflow" | "stepper">,
): string | undefined {
  if (actor.snapshot.status !== "active" || actor.timers.length > 0) return undefined;
  if (actor.children.some(({ ended }) => ended !== true)) return undefined;
  const accepted = stepper.accepts(actor);
  if (accepted.some((type) => actor.parent !== undefined || mayCome(type, workflow))) {
    return undefined;
  }
  const nobody = "No timer is armed, no activity and no child runs, and its state reacts to";
  return accepted.length === 0
    ? `${nobody} no event.`
    : `${nobody} nothing but ${accepted.join(", ")}, which only it or its children could send.`;
}

/** A workflow that declares no events leaves open what may be sent to it. */
function mayCome(type: string, { events, internal }: Workflow): boolean {
  return events.has(type) || (events.size === 0 && !internal.includes(type));
}
