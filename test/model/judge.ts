import {
  type Answer,
  type Command,
  type Commit,
  type Guards,
  pieces,
  type State,
  type Store,
  windowTime,
  without,
} from "./state.ts";

/** The state after the store has met a command, and what it says to it. */
export function execute(
  state: State,
  guards: Guards,
  { commit, epochIsPresent }: Command,
): { readonly state: State; readonly answer: Answer } {
  const refusal = judge(state, guards, { commit, epochIsPresent });
  if (refusal !== undefined) return { state, answer: refusal };
  const store = written(state.store, commit, state.clock);
  const isEarly = commit.notBefore > state.clock;
  return {
    state: {
      ...state,
      store,
      saved: guards.fsync ? store : state.saved,
      ...(isEarly && { broken: "a timer fired before it was due" }),
    },
    answer: { kind: "committed", events: "" },
  };
}

/** In the order of `src/stores/judge.ts`; a repeated commit counts as committed. */
function judge(
  { store, clock }: State,
  guards: Guards,
  { commit, epochIsPresent }: Omit<Command, "by">,
): Answer | undefined {
  const { id, expected, steps, inbox } = commit;
  if (guards.commitId && store.lastCommit === id) return { kind: "committed", events: "" };
  if (guards.epoch && !epochIsPresent) return { kind: "fenced", events: "" };
  const touches = steps !== "" || inbox !== "";
  if (guards.version && touches && store.instance.taken.length !== expected) {
    return { kind: "conflict", events: "" };
  }
  const messages = pieces(inbox, 2);
  const known = messages.filter((message) => remembers(store, message));
  if (guards.inbox && known.length > 0) return { kind: "duplicate", events: letters(known) };
  const old = messages.filter((message) => Number(message[1]) < clock - windowTime);
  return guards.age && old.length > 0 ? { kind: "too-old", events: letters(old) } : undefined;
}

function remembers({ inbox }: Store, message: string): boolean {
  return pieces(inbox, 2).some((entry) => entry[0] === message[0]);
}

function letters(messages: readonly string[]): string {
  return messages.map((message) => message[0]).join("");
}

function written(store: Store, commit: Commit, clock: number): Store {
  const touches = commit.steps !== "" || commit.inbox !== "";
  const remembered = pieces(store.inbox, 2)
    .filter((entry) => !touches || Number(entry[1]) >= clock - 2 * windowTime)
    .join("");
  const handled = pieces(commit.inbox, 2).map((message) => `${message[0]}${clock}`);
  const deadLetters = pieces(commit.deadLetters, 1).filter(
    (one) => !store.deadLetters.includes(one),
  );
  return {
    instance: touches ? commit.instance : store.instance,
    history: store.history + commit.steps,
    inbox: remembered + handled.join(""),
    outbox: without(store.outbox, 2, commit.outboxSettled) + commit.outboxAdded,
    timers: without(store.timers, 3, commit.disarmed) + commit.armed,
    deadLetters: store.deadLetters + deadLetters.join(""),
    lastCommit: commit.id,
  };
}
