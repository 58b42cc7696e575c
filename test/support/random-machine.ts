import {
  type AnyStateMachine,
  assign,
  cancel,
  emit,
  fromPromise,
  raise,
  sendTo,
  setup,
  spawnChild,
  stopChild,
} from "xstate";
import type { Seeded } from "./seeded.ts";

/** The part of a state that decides the structure; what happens in it is added afterwards. */
interface Sketch {
  id: string;
  type?: "parallel" | "final" | "history";
  history?: "deep" | "shallow";
  initial?: string;
  states?: Record<string, Sketch>;
  [rest: string]: unknown;
}

type Kind = "atomic" | "compound" | "parallel" | "final" | "history";
interface Context {
  readonly n: number;
  readonly last: string;
}

/** What guards and delays get to see. */
interface Args {
  readonly context: Context;
  readonly event: { readonly type: string };
}

export const eventTypes = ["E0", "E1", "E2", "E3", "E4"] as const;

/**
 * A machine nobody would draw: nested, parallel, with history, eventless transitions, timers, invokes,
 * spawned actors, raised and self-sent events.
 */
export function randomMachine(random: Seeded): AnyStateMachine {
  const { root, ids } = sketchMachine(random);
  dress(root, 0, { random, ids });
  return setup({
    actors: { work: fromPromise(async () => 1) },
    delays: { growing: ({ context }: Args) => 10 + context.n },
    guards: {
      odd: ({ context }: Args) => context.n % 2 === 1,
      even: ({ context }: Args) => context.n % 2 === 0,
      third: ({ context, event }: Args) => context.n % 3 === 2 && event.type === "E1",
    },
  }).createMachine({
    ...root,
    id: "root",
    context: { n: 0, last: "" },
    options: { maxIterations: 60 },
  } as never) as unknown as AnyStateMachine;
}

function sketchMachine(random: Seeded): { root: Sketch; ids: string[] } {
  const ids: string[] = [];
  let made = 0;
  function sketch(depth: number, wanted?: Kind): Sketch {
    const kind = wanted ?? (depth < 3 ? random.pick(kinds) : "atomic");
    const node: Sketch = { id: `s${made++}` };
    if (kind !== "final" && depth > 0) ids.push(node.id);
    if (kind === "parallel" || kind === "final" || kind === "history") node.type = kind;
    if (kind === "history") node.history = random.oneIn(2) ? "deep" : "shallow";
    if (kind === "compound" || kind === "parallel") node.states = regions(kind, depth);
    if (kind === "compound") node.initial = "k0";
    return node;
  }
  function regions(kind: Kind, depth: number): Record<string, Sketch> {
    const states: Record<string, Sketch> = {};
    const last = 1 + random.below(2);
    for (let index = 0; index <= last; index++) {
      const final = kind === "compound" && index === last && random.oneIn(4);
      const region = kind === "parallel" && !random.oneIn(3) ? "compound" : undefined;
      states[`k${index}`] = sketch(depth + 1, final ? "final" : region);
    }
    if (random.oneIn(2)) states["h"] = sketch(depth + 1, "history");
    return states;
  }
  return { root: sketch(0, "compound"), ids };
}

const kinds = ["atomic", "compound", "compound", "parallel", "atomic"] as const;

interface Wardrobe {
  readonly random: Seeded;
  readonly ids: readonly string[];
}

function dress(node: Sketch, depth: number, { random, ids }: Wardrobe): void {
  if (node.type === "history") return;
  if (random.oneIn(2)) node["entry"] = actions(random);
  if (random.oneIn(3)) node["exit"] = actions(random);
  if (node.type === "final") return;
  const target = (): string => `#${random.pick(ids)}`;
  node["on"] = handlers(random, target);
  if (depth > 0 && random.oneIn(4)) {
    node["after"] = { [random.oneIn(2) ? 100 : "growing"]: target() };
  }
  if (random.oneIn(4)) node["invoke"] = invoke(node.id, random, target);
  if (depth > 0 && random.oneIn(6)) node["always"] = { guard: "third", target: target() };
  if (node.states !== undefined && random.oneIn(4)) node["onDone"] = target();
  for (const child of Object.values(node.states ?? {})) dress(child, depth + 1, { random, ids });
}

function invoke(id: string, random: Seeded, target: () => string): Record<string, unknown> {
  const add = assign<Context, never, never, never, never>({
    n: ({ context, event }) => context.n + (event as { output: number }).output,
  });
  const definition = { id: `i.${id}`, src: "work", onDone: { target: target(), actions: add } };
  return random.oneIn(2) ? definition : { ...definition, onError: target() };
}

function handlers(random: Seeded, target: () => string): Record<string, unknown> {
  const on: Record<string, unknown> = {};
  // Without a target: an answer to oneself must not lead to sending it again.
  if (random.oneIn(3)) on["Self"] = { actions: count() };
  for (const type of eventTypes) {
    if (!random.oneIn(3)) continue;
    const transition: Record<string, unknown> = random.oneIn(4) ? {} : { target: target() };
    if (random.oneIn(3)) transition["guard"] = random.oneIn(2) ? "odd" : "even";
    if (random.oneIn(3)) transition["actions"] = [...actions(random), ...actions(random)];
    if (random.oneIn(5)) transition["reenter"] = true;
    on[type] = random.oneIn(3) ? [transition, { target: target() }] : transition;
  }
  return on;
}

function count(): unknown {
  return assign<Context, never, never, never, never>({ n: ({ context }) => context.n + 1 });
}

function actions(random: Seeded): readonly unknown[] {
  const timer = `t${random.below(3)}`;
  const child = `c${random.below(2)}`;
  const type = `E${random.below(3)}`;
  const delay = 50 + random.below(50);
  const choices: readonly (() => readonly unknown[])[] = [
    () => [count()],
    () => [count()],
    () => [emit(({ context }) => ({ type: "Out", n: (context as Context).n }))],
    () => [cancel(timer), raise({ type }, { delay, id: timer })],
    () => [raise({ type }, { delay, id: timer })],
    () => [cancel(timer)],
    () => [raise({ type: `E${3 + random.below(2)}` })],
    () => [assign<Context, never, never, never, never>({ last: ({ event }) => eventType(event) })],
    () => [sendTo(({ self }) => self, { type: "Self" })],
    () => [spawnChild("work" as never, { id: child })],
    () => [stopChild(child)],
    () => [
      assign(({ spawn }) => {
        spawn("work" as never, { id: child } as never);
        return {};
      }),
    ],
  ];
  return random.pick(choices)();
}

function eventType(event: { readonly type: string }): string {
  return event.type;
}

/** Parts of XState's actions that say nothing. */
const code = { resolve: undefined, execute: undefined, retryResolve: undefined };

/** The machine as text for a failure's message: actions by their type and parameters. */
export function describeMachine(machine: AnyStateMachine): string {
  const replace = (_key: string, value: unknown): unknown =>
    typeof value === "function" ? { ...Object.fromEntries(Object.entries(value)), ...code } : value;
  return JSON.stringify(machine.config, replace);
}
