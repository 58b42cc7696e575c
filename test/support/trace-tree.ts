import { type JaegerSpan, type JaegerTrace, linksOf, parentOf, tagOf } from "./jaeger-traces.ts";

/** A span with everything of its line, before the columns are laid out. */
interface Row {
  readonly at: string;
  readonly took: string;
  readonly who: string;
  readonly kind: string;
  readonly what: string;
}

const head: Row = { at: "at ms", took: "took ms", who: "service", kind: "kind", what: "span" };

/**
 * A trace as a table: when each span began and how long it took, who made it, its kind, and the tree of spans in the
 * order in which they began, with the states that a step led to, errors, and links to spans of this or other traces.
 */
export function traceTable(trace: JaegerTrace, all: readonly JaegerTrace[]): readonly string[] {
  const startedAt = Math.min(...trace.spans.map(({ startTime }) => startTime));
  const names = new Map(all.flatMap(({ spans }) => spans.map((span) => [span.spanID, span])));
  const known = new Set(trace.spans.map(({ spanID }) => spanID));
  const children = Map.groupBy(
    trace.spans.toSorted((left, right) => left.startTime - right.startTime),
    (span) => {
      const parent = parentOf(span)?.spanID ?? "";
      return known.has(parent) ? parent : "";
    },
  );
  const rows = [head];
  const add = (span: JaegerSpan, indent: string, elbow: string) => {
    rows.push({
      // No clock of a span tells more than milliseconds; how long it took is measured finer.
      at: ((span.startTime - startedAt) / 1_000).toFixed(0),
      took: (span.duration / 1_000).toFixed(1),
      who: whoOf(trace, span),
      kind: String(tagOf(span, "span.kind") ?? ""),
      what: [`${indent}${elbow}${span.operationName}`, ...notesOf(span, names)].join("  "),
    });
    const below = children.get(span.spanID) ?? [];
    const inner = elbow === "" ? "" : `${indent}${elbow === "└ " ? "  " : "│ "}`;
    for (const child of below) add(child, inner, child === below.at(-1) ? "└ " : "├ ");
  };
  for (const root of children.get("") ?? []) add(root, "", "");
  return aligned(rows);
}

/** One of the shop's services, or else the process. */
function whoOf({ processes }: JaegerTrace, span: JaegerSpan): string {
  const service = tagOf(span, "workflow.service.name");
  const name = processes?.[span.processID ?? ""]?.serviceName ?? "";
  return service === undefined ? name : `${name}: ${String(service)}`;
}

function notesOf(span: JaegerSpan, known: ReadonlyMap<string, JaegerSpan>): readonly string[] {
  const notes: string[] = [];
  const status = tagOf(span, "http.response.status_code");
  if (status !== undefined) notes.push(String(status));
  const entered = enteredStates(span);
  if (entered !== "") notes.push(`→ ${entered}`);
  if (tagOf(span, "workflow.duplicate") === true) notes.push("(seen before)");
  if (tagOf(span, "workflow.republished") === true) notes.push("(published again)");
  if (tagOf(span, "error") === true)
    notes.push(`✗ ${String(tagOf(span, "otel.status_description"))}`);
  for (const { traceID, spanID } of linksOf(span)) {
    const where = traceID === span.traceID ? "" : ` of trace ${traceID.slice(0, 8)}`;
    notes.push(`⇢ ${known.get(spanID)?.operationName ?? "a span"}${where}`);
  }
  return notes;
}

/** The states that a step has led to, without those it was in before. */
function enteredStates(span: JaegerSpan): string {
  const states = (key: string) => String(tagOf(span, key) ?? "").split(" ");
  const before = new Set(states("workflow.state.from"));
  return states("workflow.state.to")
    .filter((state) => !before.has(state))
    .join(" + ");
}

function aligned(rows: readonly Row[]): readonly string[] {
  const width = (column: keyof Row) => Math.max(...rows.map((row) => row[column].length));
  const [at, took, who, kind] = [width("at"), width("took"), width("who"), width("kind")];
  return rows.map((row) =>
    [
      row.at.padStart(at),
      row.took.padStart(took),
      row.who.padEnd(who),
      row.kind.padEnd(kind),
      row.what,
    ].join("  "),
  );
}
