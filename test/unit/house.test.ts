import { globSync, readFileSync } from "node:fs";
import { sep } from "node:path";
import { describe, expect, test } from "vitest";
import { nodeProblem } from "../support/node-version.ts";
import { breaches, type SourceFile } from "./house-check.ts";

const patterns = ["src", "machines", "transports", "test", "bench"].map(
  (folder) => `${folder}/**/*.{ts,tsx,mjs,lua}`,
);

function readHouse(): SourceFile[] {
  return globSync(patterns).map((path) => ({
    path: path.replaceAll(sep, "/"),
    text: readFileSync(path, "utf8"),
  }));
}

function lines(count: number): string {
  return Array.from({ length: count }, (_, index) => `// ${index}`).join("\n");
}

describe("the house", () => {
  test("keeps its own rules", () => {
    const files = readHouse();
    expect(files.length).toBeGreaterThan(10);
    expect(breaches(files)).toEqual([]);
  });

  test("stands on the Node.js it was built for", () => {
    expect(nodeProblem(process.versions.node)).toBeUndefined();
  });

  test("says what to do on an older Node.js", () => {
    expect(nodeProblem("20.20.2")).toContain("npm rebuild node --ignore-scripts=false");
  });
});

/** A made-up file, and what the check must say about it. */
interface Breach {
  readonly rule: string;
  readonly files: Readonly<Record<string, string>>;
  readonly says: string;
}

// Written out it would count as an import of this file.
const drawing = ["fast", "check"].join("-");

const madeUp: readonly Breach[] = [
  {
    rule: "a file without a room",
    files: { "src/attic.ts": "" },
    says: "src/attic.ts is in no room",
  },
  {
    rule: "a bucket of types",
    files: { "src/engine/types.ts": "" },
    says: "src/engine/types.ts is named as a bucket, not as a concept",
  },
  {
    rule: "a store that imports a transport",
    files: { "src/stores/sqlite/store.ts": 'import { a } from "../../../transports/memory/a.ts";' },
    says: "src/stores/sqlite/store.ts (SQLite store) imports transports/memory/a.ts",
  },
  {
    rule: "a stray import of a type",
    files: { "src/http/app.ts": 'import type { A } from "../engine/partition.ts";' },
    says: "src/http/app.ts (HTTP) imports src/engine/partition.ts",
  },
  {
    rule: "a re-export from a room out of reach",
    files: { "src/store.ts": 'export { a } from "./engine/a.ts";' },
    says: "src/store.ts (contracts) imports src/engine/a.ts",
  },
  {
    rule: "a package in the wrong room",
    files: { "src/message.ts": 'import { createMachine } from "xstate";' },
    says: "src/message.ts (words) imports xstate",
  },
  {
    rule: "the database outside its rooms",
    files: { "transports/memory/transport.ts": 'import { DatabaseSync } from "node:sqlite";' },
    says: "transports/memory/transport.ts (memory transport) imports node:sqlite",
  },
  {
    rule: "timers by way of their module",
    files: { "transports/memory/a.ts": 'import { setTimeout } from "node:timers/promises";' },
    says: "transports/memory/a.ts (memory transport) imports node:timers/promises",
  },
  {
    rule: "a dynamic import out of its room",
    files: { "src/engine/engine.ts": 'const http = await import("../http/app.ts");' },
    says: "src/engine/engine.ts (engine) imports src/http/app.ts",
  },
  {
    rule: "a machine that imports another",
    files: { "machines/hello/workflow.ts": 'import { a } from "../payment/workflow.ts";' },
    says: "machines/hello/workflow.ts imports another machine, machines/payment/workflow.ts",
  },
  {
    rule: "a machine that looks behind the public API",
    files: { "machines/hello/workflow.ts": 'import { a } from "../../src/workflow.ts";' },
    says: "machines/hello/workflow.ts (machines) imports src/workflow.ts",
  },
  {
    rule: "somebody leaning on the wiring",
    files: { "src/http/app.ts": 'import { a } from "../wiring.ts";' },
    says: "src/http/app.ts leans on the wiring, src/wiring.ts",
  },
  {
    rule: "wiring that loads what nobody asked for",
    files: { "src/wiring.ts": 'import { a } from "../transports/embedded/transport.ts";' },
    says: "src/wiring.ts loads transports/embedded/transport.ts at once; import it when it is asked for",
  },
  {
    rule: "a cycle of types",
    files: {
      "src/engine/a.ts": 'import type { B } from "./b.ts";',
      "src/engine/b.ts": 'import type { A } from "./a.ts";',
    },
    says: "src/engine/a.ts -> src/engine/b.ts -> src/engine/a.ts is a cycle",
  },
  {
    rule: "a store that imports another",
    files: { "src/stores/redis/store.ts": 'import { a } from "../sqlite/store.ts";' },
    says: "src/stores/redis/store.ts (Redis store) imports src/stores/sqlite/store.ts",
  },
  ...[
    `import * as fc from "${drawing}";\nfc.assert(property);`,
    `import { assert } from "${drawing}";\nassert(property, { seed: Number(day) });`,
    `import * as fc from "${drawing}";\nimport { firstSeed } from "./mine.ts";\nfc.assert(property, { seed: firstSeed });`,
  ].map((text) => ({
    rule: "chance without the common seed",
    files: { "test/unit/any.test.ts": text },
    says: "test/unit/any.test.ts uses fast-check without the seed of test/support/fuzz-budget.ts",
  })),
  {
    rule: "a file that grew too long",
    files: { "test/unit/long.test.ts": lines(301) },
    says: "test/unit/long.test.ts has 301 lines; at most 300 are allowed",
  },
  {
    rule: "a contract that grew too long",
    files: { "src/store.ts": lines(131) },
    says: "src/store.ts has 131 lines; at most 130 are allowed",
  },
  {
    rule: "a star export",
    files: { "src/index.ts": 'export * from "./workflow.ts";' },
    says: "src/index.ts re-exports with a star",
  },
  {
    rule: "a default export",
    files: { "src/engine/a.ts": "export default 1;" },
    says: "src/engine/a.ts has a default export",
  },
  {
    rule: "a default export by another name",
    files: { "src/engine/a.ts": "export { a as default };" },
    says: "src/engine/a.ts has a default export",
  },
  {
    rule: "the time of day within a text",
    files: { "src/engine/a.ts": "const text = `at ${Date.now()}`;" },
    says: "src/engine/a.ts uses Date.now; take it from a Clock or Ids",
  },
  ...[
    "Date.now",
    "Math.random",
    "setTimeout",
    "setImmediate",
    "performance.now",
    "new Date()",
    "randomUUID",
  ].map((call) => ({
    rule: `${call} in the engine`,
    files: { "src/engine/a.ts": `const a = ${call}${call.endsWith(")") ? "" : "()"};` },
    says: `src/engine/a.ts uses ${call}; take it from a Clock or Ids`,
  })),
];

describe("the house check", () => {
  test.each(madeUp)("names $rule", ({ files, says }) => {
    expect(breaches(filesOf(files))).toContain(says);
  });

  test("has nothing against code that only speaks of such things", () => {
    const text = [
      '/** `Date.now` and `export *` in a comment, "import" from "xstate" too. */',
      'const text = "https://example.org/ setTimeout() export default";',
      "// import { a } from '../http/app.ts';",
      "const day = new Date(at);",
      "const script = `setTimeout(go, ${delayMs})`;",
    ].join("\n");
    expect(breaches([{ path: "src/engine/a.ts", text }])).toEqual([]);
  });

  test("lets the wiring load adapters when they are asked for, and the public API hand it out", () => {
    const files = {
      "src/index.ts": 'export { createEngine } from "./wiring.ts";',
      "src/wiring.ts": 'const { a } = await import("../transports/embedded/transport.ts");',
    };
    expect(breaches(filesOf(files))).toEqual([]);
  });
});

function filesOf(files: Readonly<Record<string, string>>): SourceFile[] {
  return Object.entries(files).map(([path, text]) => ({ path, text }));
}
