/** A trace as Jaeger's query API gives it, as far as it is looked at here. */
export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes?: Readonly<Record<string, { readonly serviceName: string }>>;
}

type TagValue = string | number | boolean | undefined;

export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly processID?: string;
  /** `CHILD_OF` is the parent, `FOLLOWS_FROM` a link. */
  readonly references: readonly {
    readonly refType: "CHILD_OF" | "FOLLOWS_FROM";
    readonly traceID: string;
    readonly spanID: string;
  }[];
  /** Microseconds. */
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly { readonly key: string; readonly value: TagValue }[];
}

/** What makes traces hard to read or wrong in Jaeger, a sentence each. */
export function problemsOf(traces: readonly JaegerTrace[]): readonly string[] {
  const spans = traces.flatMap((trace) => trace.spans);
  const known = new Map(spans.map((span) => [idOf(span), span]));
  return [
    ...traces.flatMap(rootProblems),
    ...spans.flatMap((span) => referenceProblems(span, known)),
  ];
}

function rootProblems({ traceID, spans }: JaegerTrace): readonly string[] {
  const roots = spans.filter((span) => parentOf(span) === undefined);
  if (roots.length === 1) return [];
  const names = roots.map(({ operationName }) => operationName).join(", ");
  return [`trace ${traceID} has ${roots.length} roots: ${names}`];
}

/** Clocks of one machine differ by less than this between two ways to read them. */
const toleranceUs = 2_000;

function referenceProblems(
  span: JaegerSpan,
  known: ReadonlyMap<string, JaegerSpan>,
): readonly string[] {
  const problems: string[] = [];
  for (const reference of span.references) {
    const target = known.get(idOf(reference));
    const what = reference.refType === "CHILD_OF" ? "parent" : "link";
    if (target === undefined) problems.push(`${span.operationName}: its ${what} is not there`);
    else if (target.startTime > span.startTime + toleranceUs)
      problems.push(`${span.operationName} begins before its ${what} ${target.operationName}`);
  }
  return problems;
}

export function parentOf({ references }: JaegerSpan) {
  return references.find(({ refType }) => refType === "CHILD_OF");
}

export function linksOf({ references }: JaegerSpan) {
  return references.filter(({ refType }) => refType === "FOLLOWS_FROM");
}

export function tagOf({ tags }: JaegerSpan, key: string): TagValue {
  return tags.find((tag) => tag.key === key)?.value;
}

function idOf({ traceID, spanID }: { readonly traceID: string; readonly spanID: string }): string {
  return `${traceID}:${spanID}`;
}

/** A trace as an indented list, each span under its parent in the order in which they began. */
export function treeOf(
  { spans }: JaegerTrace,
  describe: (span: JaegerSpan) => string,
): readonly string[] {
  const below = (parent: string | undefined, depth: number): readonly string[] =>
    spans
      .filter((span) => parentOf(span)?.spanID === parent)
      .toSorted((left, right) => left.startTime - right.startTime)
      .flatMap((span) => [
        `${"  ".repeat(depth)}${describe(span)}`,
        ...below(span.spanID, depth + 1),
      ]);
  return below(undefined, 0);
}
