/** What people and the index see of a set of active states; the same object for the same states. */
export interface ShownState {
  /** The innermost active states, separated by spaces. */
  readonly text: string;
  /** The terms under which `list` finds instances there: states with their parents, and tags. */
  readonly terms: readonly string[];
  /** Sorted. */
  readonly tags: readonly string[];
}

export function shownState(value: unknown, tags: ReadonlySet<string>): ShownState {
  const sorted = [...tags].toSorted();
  const states = statePaths(value).map((path) => `state:${path}`);
  return {
    text: stateText(value),
    terms: [...states, ...sorted.map((tag) => `tag:${tag}`)],
    tags: sorted,
  };
}

/** Every active state as a dotted path, parents first: `{a: {b: "c"}}` gives `a`, `a.b`, `a.b.c`. */
export function statePaths(value: unknown, prefix = ""): readonly string[] {
  if (typeof value === "string") return [`${prefix}${value}`];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    `${prefix}${name}`,
    ...statePaths(inner, `${prefix}${name}.`),
  ]);
}

/** The innermost active states of a state value, separated by spaces. */
export function stateText(value: unknown): string {
  if (typeof value === "string") return value;
  const paths = statePaths(value);
  return paths.filter((path) => !paths.some((other) => other.startsWith(`${path}.`))).join(" ");
}
