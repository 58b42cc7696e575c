import { expect, test } from "vitest";
import type { JaegerSpan } from "../../support/jaeger-traces.ts";
import { traceTable } from "../../support/trace-tree.ts";

function span(id: string, parent: string, change: Partial<JaegerSpan> = {}): JaegerSpan {
  const traceID = "1234567890";
  const child = [{ refType: "CHILD_OF" as const, traceID, spanID: parent }];
  return {
    traceID,
    spanID: id,
    processID: "p1",
    operationName: id,
    references: parent === "" ? [] : child,
    startTime: 5_000_000,
    duration: 1_250,
    tags: [{ key: "span.kind", value: "internal" }],
    ...change,
  };
}
const tags = (of: Readonly<Record<string, string | number | boolean>>) =>
  Object.entries(of).map(([key, value]) => ({ key, value }));

test("A trace is a table whose last column is a tree in the order of time", () => {
  const spans = [
    span("second", "root", {
      startTime: 5_012_000,
      tags: tags({ "workflow.state.from": "a b.c", "workflow.state.to": "a b.d" }),
    }),
    span("inner", "first", {
      tags: tags({ error: true, "otel.status_description": "declined", "span.kind": "consumer" }),
    }),
    span("first", "root", { startTime: 5_002_000, tags: tags({ "workflow.republished": true }) }),
    span("root", "", { tags: tags({ "http.response.status_code": 201 }) }),
    span("innermost", "inner", {
      tags: tags({ "workflow.service.name": "stock" }),
      references: [
        { refType: "CHILD_OF", traceID: "1234567890", spanID: "inner" },
        { refType: "FOLLOWS_FROM", traceID: "abcdefabcdef", spanID: "other" },
      ],
    }),
  ];
  const trace = { traceID: "1234567890", spans, processes: { p1: { serviceName: "engine" } } };
  const other = { traceID: "abcdefabcdef", spans: [span("other", "")] };
  expect(traceTable(trace, [trace, other])).toMatchInlineSnapshot(`
    [
      "at ms  took ms  service        kind      span",
      "    0      1.3  engine                   root  201",
      "    2      1.3  engine                   ├ first  (published again)",
      "    0      1.3  engine         consumer  │ └ inner  ✗ declined",
      "    0      1.3  engine: stock            │   └ innermost  ⇢ other of trace abcdefab",
      "   12      1.3  engine                   └ second  → b.d",
    ]
  `);
});
