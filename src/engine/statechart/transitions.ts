import type { AnyEventObject, AnyMachineSnapshot, AnyStateNode } from "xstate";
import { descriptorMatches } from "../../workflow-events.ts";
import type { StateValue } from "../client.ts";
import { guardName } from "./inert.ts";

/** A transition as XState keeps it with the state that it leads from. */
export interface Transition {
  readonly source: AnyStateNode;
  /** Absent for one that stays where it is. */
  readonly target: readonly AnyStateNode[] | undefined;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
  readonly reenter: boolean;
}

/** What some active states could do with events of one type: the innermost ones are asked first. */
export interface Candidates {
  readonly inner: readonly Candidates[];
  readonly own: readonly Transition[];
}

/** A guard that XState ships: `and`, `or`, `not`, `stateIn`. */
interface BuiltInGuard {
  check(snapshot: AnyMachineSnapshot, args: object, guard: unknown): boolean;
}

/** The candidates below `node` while these states are active in it; undefined when there is none. */
export function candidatesFor(
  node: AnyStateNode,
  value: StateValue,
  type: string,
): Candidates | undefined {
  const keys = typeof value === "string" ? [value] : Object.keys(value);
  const inner = keys.flatMap((key) => {
    const child = (node.states as Readonly<Record<string, AnyStateNode>>)[key];
    const below = typeof value === "string" ? {} : (value[key] ?? {});
    return child === undefined ? [] : (candidatesFor(child, below, type) ?? []);
  });
  const own = ownCandidates(node, type);
  return own.length + inner.length === 0 ? undefined : { inner, own };
}

/** An exact type comes first, then wildcards, the longest first. */
function ownCandidates({ transitions }: AnyStateNode, type: string): readonly Transition[] {
  const wildcards = [...transitions.keys()]
    .filter((descriptor) => descriptor !== type && descriptorMatches(descriptor, type))
    .toSorted((one, other) => other.length - one.length);
  return [type, ...wildcards].flatMap((descriptor) => transitions.get(descriptor) ?? []);
}

/** Adds the transitions that an event enables to `enabled`, one for each region at most; true when there are any. */
export function enable(
  { inner, own }: Candidates,
  snapshot: AnyMachineSnapshot,
  event: AnyEventObject,
  enabled: Transition[],
): boolean {
  let found = false;
  for (const candidates of inner) {
    if (enable(candidates, snapshot, event, enabled)) found = true;
  }
  if (found) return true;
  for (const transition of own) {
    if (!isOpen(transition, snapshot, event)) continue;
    enabled.push(transition);
    return true;
  }
  return false;
}

function isOpen(
  { guard, source }: Transition,
  snapshot: AnyMachineSnapshot,
  event: AnyEventObject,
) {
  if (guard === undefined) return true;
  try {
    return passes(guard, snapshot, event);
  } catch (error) {
    const name = guardName(guard);
    const what = name === undefined ? "guard" : `guard '${name}'`;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Unable to evaluate ${what} in transition for event '${event.type}' in state node '${source.id}':\n${why}`,
      { cause: error },
    );
  }
}

/** The eventless transitions of each innermost state with those of the states around it, where there are any. */
export function eventlessOf(nodes: readonly AnyStateNode[]): readonly (readonly Transition[])[] {
  const leaves = nodes.filter(({ type }) => type === "atomic" || type === "final");
  return leaves.map(upwards).filter((transitions) => transitions.length > 0);
}

function upwards(leaf: AnyStateNode): readonly Transition[] {
  const transitions: Transition[] = [];
  for (let node: AnyStateNode | undefined = leaf; node !== undefined; node = node.parent) {
    transitions.push(...(node.always ?? []));
  }
  return transitions;
}

/** The eventless transitions that are open now, one for each innermost state at most. */
export function openEventless(
  lists: readonly (readonly Transition[])[],
  snapshot: AnyMachineSnapshot,
  event: AnyEventObject,
): readonly Transition[] {
  const open = lists.map((list) =>
    list.find(({ guard }) => guard === undefined || passes(guard, snapshot, event)),
  );
  return [...new Set(open.filter((transition) => transition !== undefined))];
}

/** What XState does with a guard: a function, a name, or an object with a name and parameters. */
function passes(guard: unknown, snapshot: AnyMachineSnapshot, event: AnyEventObject): boolean {
  const { context } = snapshot;
  if (typeof guard === "function") return call(guard, snapshot, { context, event }, undefined);
  const name = typeof guard === "string" ? guard : (guard as { readonly type: string }).type;
  const known: unknown = snapshot.machine.implementations.guards[name];
  if (known === undefined) throw new Error(`Guard '${name}' is not implemented.'.`);
  if (typeof known !== "function") return passes(known, snapshot, event);
  const { params } = typeof guard === "string" ? {} : (guard as { readonly params?: unknown });
  const given: unknown = typeof params === "function" ? params({ context, event }) : params;
  return call(known, snapshot, { context, event }, given);
}

function call(
  guard: object,
  snapshot: AnyMachineSnapshot,
  args: { readonly context: unknown; readonly event: AnyEventObject },
  params: unknown,
): boolean {
  if ("check" in guard) return (guard as BuiltInGuard).check(snapshot, args, guard);
  return (guard as unknown as (args: object, params: unknown) => boolean)(args, params);
}
