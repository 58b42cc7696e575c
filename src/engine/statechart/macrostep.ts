import type { AnyEventObject, AnyMachineSnapshot, AnyStateNode } from "xstate";
import { WaybillError } from "../../errors.ts";
import type { Draft, Extra } from "./actions.ts";
import type { ActiveStates, ReadyEntry, ReadyMicrostep } from "./active-states.ts";
import type { Chart } from "./chart.ts";
import type { History } from "./domains.ts";
import type { InertScope } from "./inert.ts";
import type { Completion } from "./microstep-plan.ts";
import { ActionRunner } from "./run-actions.ts";
import { enable, openEventless, type Transition } from "./transitions.ts";

/** One microstep as traces show it: the states left for which, by which event and named guards. */
export interface Microstep {
  readonly event: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly guards: readonly string[];
}

const none: readonly string[] = [];

/**
 * One event, and all that follows from it until the machine is at rest: what XState's own macrostep does, in the same
 * order, but for what depends on the chart alone. XState works that out anew at each step: which states are left and
 * entered, their value and their tags.
 */
export class Macrostep {
  readonly #chart: Chart;
  readonly #scope: InertScope;
  readonly #draft: Draft;
  readonly #runner: ActionRunner;
  readonly #queue: AnyEventObject[] = [];
  readonly #extra: Extra = { internalQueue: this.#queue, deferredActorIds: undefined };
  readonly microsteps: Microstep[] = [];
  readonly #visited: ActiveStates[] = [];
  #active: ActiveStates;
  #hasChanged = false;

  private constructor(chart: Chart, scope: InertScope, from: AnyMachineSnapshot) {
    this.#chart = chart;
    this.#scope = scope;
    this.#draft = { ...from };
    this.#runner = new ActionRunner(scope, this.#draft);
    this.#active = chart.active(from._nodes);
  }

  /** Enters the machine. What is asked for goes to the scope. */
  static start(
    chart: Chart,
    scope: InertScope,
    input: unknown,
  ): { readonly step: Macrostep; readonly next: AnyMachineSnapshot } {
    const { template } = chart.active([chart.machine.root]);
    const step = new Macrostep(chart, scope, template);
    return { step, next: step.#start({ type: "xstate.init", input }) };
  }

  /** Takes one event. The snapshot is the same object when nothing has changed. */
  static apply(
    chart: Chart,
    scope: InertScope,
    { snapshot, event }: { readonly snapshot: AnyMachineSnapshot; readonly event: AnyEventObject },
  ): { readonly step: Macrostep; readonly next: AnyMachineSnapshot } {
    const step = new Macrostep(chart, scope, snapshot);
    return { step, next: step.#take(event) ? step.#finished() : snapshot };
  }

  #start(event: AnyEventObject): AnyMachineSnapshot {
    this.#begin(event);
    this.#perform(this.#chart.first(this.#active), event);
    this.#visited.length = 0;
    this.#settle(event);
    return this.#finished();
  }

  /** The context that the machine begins with. */
  #begin(event: AnyEventObject): void {
    const { context } = this.#chart.machine.config as { readonly context?: unknown };
    if (typeof context !== "function") {
      this.#draft.context = context ?? {};
      return;
    }
    this.#draft.context = {};
    const { self, system } = this.#scope;
    const assignment = ({
      spawn,
      self: own,
    }: {
      readonly spawn: unknown;
      readonly self: unknown;
    }) =>
      context({ spawn, input: (event as { readonly input?: unknown }).input, self: own }) as object;
    this.#runner.assign(assignment, { context: {}, event, self, system });
  }

  /** True when there is another snapshot to show for it. */
  #take(event: AnyEventObject): boolean {
    const enabled = this.#enabled(event);
    if (enabled.length === 0 && event.type.startsWith("xstate.error.actor")) {
      this.#fail(event);
      return true;
    }
    this.#microstep(enabled, event);
    this.#settle(event);
    return this.#hasChanged;
  }

  #enabled(event: AnyEventObject): readonly Transition[] {
    const candidates = this.#active.candidates(event.type);
    if (candidates === undefined) return [];
    const enabled: Transition[] = [];
    enable(candidates, this.#snapshot, event, enabled);
    return enabled;
  }

  /** Eventless transitions first, then what was raised, until there is neither. */
  #settle(event: AnyEventObject): void {
    const most = this.#chart.machine.options.maxIterations ?? Number.POSITIVE_INFINITY;
    let current = event;
    let asksEventless = true;
    for (let count = 1; this.#draft.status === "active"; count += 1) {
      if (count > most) throw endlessLoop(most);
      const eventless = asksEventless ? this.#eventless(current) : [];
      if (eventless.length > 0) {
        asksEventless = this.#microstep(eventless, current);
        continue;
      }
      const raised = this.#queue.shift();
      if (raised === undefined) break;
      current = raised;
      asksEventless = true;
      this.#microstep(this.#enabled(current), current);
    }
    if (this.#draft.status !== "active") this.#runner.stopAll(current);
  }

  #eventless(event: AnyEventObject): readonly Transition[] {
    const { eventless } = this.#active;
    return eventless.length === 0 ? [] : openEventless(eventless, this.#snapshot, event);
  }

  /** True when it has changed anything. */
  #microstep(enabled: readonly Transition[], event: AnyEventObject): boolean {
    const { type } = event;
    if (enabled.length === 0) {
      this.microsteps.push({ event: type, from: none, to: none, guards: none });
      return false;
    }
    const history = this.#draft.historyValue as History;
    const ready = this.#chart.microstep(enabled, this.#active, history);
    const { from, to, guards } = ready;
    const hasChanged = this.#perform(ready, event);
    this.microsteps.push({ event: type, from, to, guards });
    return hasChanged;
  }

  #perform(ready: ReadyMicrostep, event: AnyEventObject): boolean {
    const runner = this.#runner;
    runner.hasChanged = false;
    runner.run(ready.leaving, event, this.#extra);
    for (const entry of ready.entering) this.#enter(entry, event);
    if (this.#draft.status === "done") runner.run(ready.ending, event, this.#extra);
    if (!ready.staysInPlace || ready.remembered !== undefined) this.#move(ready);
    this.#hasChanged ||= runner.hasChanged;
    return runner.hasChanged;
  }

  #enter({ actions, invoked, completions }: ReadyEntry, event: AnyEventObject): void {
    const waits = { ...this.#extra, deferredActorIds: invoked };
    this.#runner.run(actions, event, invoked.length === 0 ? this.#extra : waits);
    for (const completion of completions) this.#complete(completion, event);
  }

  #complete(completion: Completion, event: AnyEventObject): void {
    if (completion.kind === "done-state") {
      const { id, output } = completion;
      this.#queue.push({ type: `xstate.done.state.${id}`, output: this.#output(output, event) });
      return;
    }
    this.#draft.status = "done";
    this.#draft.output = this.#machineOutput(completion.completed, event) as never;
    this.#runner.hasChanged = true;
  }

  #machineOutput({ id, output, parent }: AnyStateNode, event: AnyEventObject): unknown {
    const { root } = this.#chart.machine;
    if (root.output === undefined) return undefined;
    const given = parent === undefined ? undefined : this.#output(output, event);
    return this.#output(root.output, { type: `xstate.done.state.${id}`, output: given });
  }

  #output(output: unknown, event: AnyEventObject): unknown {
    if (typeof output !== "function") return output;
    const { context } = this.#draft;
    return output({ context, event, self: this.#scope.self }) as unknown;
  }

  #move({ next, remembered }: ReadyMicrostep): void {
    const draft = this.#draft;
    this.#active = next;
    this.#visited.push(next);
    draft._nodes = next.template._nodes;
    draft.value = next.template.value;
    draft.tags = next.template.tags;
    if (remembered !== undefined)
      draft.historyValue = { ...draft.historyValue, ...remembered } as never;
    this.#runner.hasChanged = true;
  }

  /** An error of a child that no state handles ends the machine. */
  #fail(event: AnyEventObject): void {
    this.#runner.stopAll(event);
    this.#draft.status = "error";
    this.#draft.error = (event as { readonly error?: unknown }).error;
    this.microsteps.push({ event: event.type, from: none, to: none, guards: none });
  }

  get #snapshot(): AnyMachineSnapshot {
    return this.#draft as AnyMachineSnapshot;
  }

  /** What went wrong on the way does not become right because the end looks right. */
  #finished(): AnyMachineSnapshot {
    const draft = this.#draft;
    const last = this.#active;
    for (const visited of this.#visited) {
      if (visited !== last && visited.configuration === undefined) throw illegal(visited.nodes);
    }
    if (last.configuration === undefined) {
      if (draft.status === "active") throw illegal(last.nodes);
      return this.#snapshot;
    }
    const { template } = last.configuration;
    draft._nodes = template._nodes;
    draft.value = template.value;
    draft.tags = template.tags;
    return this.#snapshot;
  }
}

function endlessLoop(most: number): Error {
  return new Error(
    `Infinite loop detected: the machine has processed more than ${most} microsteps without reaching a stable state. This usually happens when there's a cycle of transitions (e.g., eventless transitions or raised events causing state A -> B -> C -> A).`,
  );
}

/** XState 5.33 loses states when a parallel state is left for its own history. */
function illegal(nodes: readonly AnyStateNode[]): WaybillError {
  const states = nodes.map(({ id }) => id).join(", ");
  return new WaybillError({
    code: "illegal-configuration",
    message: `The transition leads to states that cannot be active together: ${states}.`,
    action: "Do not target the history of a parallel state from inside that state.",
  });
}
