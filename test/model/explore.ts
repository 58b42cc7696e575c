import { canonical } from "./canonical-state.ts";
import { type Configuration, moves } from "./moves.ts";
import { brokenPromise, unfinished } from "./promises.ts";
import { initial, type State } from "./state.ts";

export interface Exploration {
  readonly states: number;
  /** Moves from the beginning to the state that is farthest from it. */
  readonly depth: number;
  /** The promise that some run breaks, in words; undefined when none does. */
  readonly broken: string | undefined;
  /** The shortest such run. */
  readonly trace: readonly string[];
  /** Every state was looked at, unless a promise was broken. */
  readonly isExhaustive: boolean;
}

/**
 * Looks at every state that can come about, the nearest first. In each the promises must hold; and from each, if
 * no further trouble strikes, a state must be within reach where all that was accepted is done.
 */
export function explore(config: Configuration, mostStates: number): Exploration {
  const graph = new Graph();
  const begin = initial(config.scenario);
  let frontier: State[] = [begin];
  graph.add(canonical(begin), 0, "");
  let at = 0;
  let depth = 0;
  for (; frontier.length > 0 && graph.size <= mostStates; depth += 1) {
    const next: State[] = [];
    for (const state of frontier) {
      const broken = visit(state, at, { config, graph, next });
      if (broken !== undefined) return found(graph, at, { broken, depth });
      at += 1;
    }
    frontier = next;
  }
  const isExhaustive = frontier.length === 0;
  const stuck = isExhaustive ? graph.stuck() : undefined;
  const broken = "from here on, without any further trouble, it is never done";
  if (stuck !== undefined) return found(graph, stuck, { broken, depth });
  return { states: graph.size, depth: depth - 1, broken: undefined, trace: [], isExhaustive };
}

/** Notes where a state can lead to; the promise that it breaks, if it does. */
function visit(
  state: State,
  at: number,
  { config, graph, next }: { config: Configuration; graph: Graph; next: State[] },
): string | undefined {
  const broken = brokenPromise(state);
  if (broken !== undefined) return broken;
  const missing = unfinished(state, config.scenario);
  if (missing === undefined) graph.done(at);
  let isAtRest = true;
  for (const { label, isFault, state: after } of moves(state, config)) {
    const size = graph.size;
    const to = graph.add(canonical(after), at, label);
    if (to === size) next.push(after);
    if (isFault || to === at) continue;
    isAtRest = false;
    graph.lead(at, to);
  }
  return isAtRest ? missing : undefined;
}

function found(
  graph: Graph,
  at: number,
  { broken, depth }: { readonly broken: string; readonly depth: number },
): Exploration {
  return { states: graph.size, depth, broken, trace: graph.trace(at), isExhaustive: false };
}

/** The states by number, in the order in which they were found, and which leads to which. */
class Graph {
  readonly #numbers = new Map<string, number>();
  readonly #cameFrom: number[] = [];
  readonly #cameBy: string[] = [];
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #done: number[] = [];

  get size(): number {
    return this.#cameFrom.length;
  }

  /** The number of a state, new or known. */
  add(key: string, from: number, label: string): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.size;
    this.#numbers.set(key, number);
    this.#cameFrom.push(from);
    this.#cameBy.push(label);
    return number;
  }

  lead(from: number, to: number): void {
    this.#from.push(from);
    this.#to.push(to);
  }

  done(at: number): void {
    this.#done.push(at);
  }

  trace(at: number): readonly string[] {
    const labels: string[] = [];
    for (let here = at; here !== 0; here = this.#cameFrom[here] ?? 0) {
      labels.push(this.#cameBy[here] ?? "");
    }
    return labels.toReversed();
  }

  /** The first state from which none that is done can be reached. */
  stuck(): number | undefined {
    const [starts, sources] = this.#backwards();
    const reaches = new Uint8Array(this.size);
    const open = [...this.#done];
    for (const at of open) reaches[at] = 1;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (let edge = starts[at] ?? 0; edge < (starts[at + 1] ?? 0); edge += 1) {
        const source = sources[edge] ?? 0;
        if (reaches[source] === 1) continue;
        reaches[source] = 1;
        open.push(source);
      }
    }
    const stuck = reaches.indexOf(0);
    return stuck < 0 ? undefined : stuck;
  }

  /** For each state, where in the second list those stand that lead to it. */
  #backwards(): readonly [Uint32Array, Uint32Array] {
    const starts = new Uint32Array(this.size + 1);
    for (const to of this.#to) starts[to + 1] = (starts[to + 1] ?? 0) + 1;
    for (let at = 0; at < this.size; at += 1)
      starts[at + 1] = (starts[at + 1] ?? 0) + (starts[at] ?? 0);
    const free = starts.slice();
    const sources = new Uint32Array(this.#to.length);
    for (const [edge, to] of this.#to.entries()) {
      const place = free[to] ?? 0;
      sources[place] = this.#from[edge] ?? 0;
      free[to] = place + 1;
    }
    return [starts, sources];
  }
}
