import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const pages = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "deploy/README.md",
  "docs/guarantees.md",
  "docs/operations.md",
  "docs/performance.md",
  "docs/scaling.md",
];
const readme = readFileSync("README.md", "utf8");

test("the README shows the hello workflow as it is, but for where it imports from", () => {
  const source = readFileSync("machines/hello/workflow.ts", "utf8");
  const shown = source.replace(/"\.\.\/\.\.\/src\/[a-z-]+\.ts"/g, '"waybill"');
  expect(readme).toContain(`\`\`\`ts\n${shown}\`\`\``);
});

test("the README names only npm scripts that exist", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  const named = [...readme.matchAll(/\bnpm (?:run ([\w:]+)|(start|test)\b)/g)];
  expect(named.length).toBeGreaterThan(2);
  for (const [, script, short] of named) expect(scripts).toHaveProperty([String(script ?? short)]);
});

test.each(pages)("every link of %s leads to a file", (page) => {
  const targets = [...readFileSync(page, "utf8").matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)];
  const lost = targets.map(([, target]) => String(target)).filter((to) => !leads(page, to));
  expect(lost).toEqual([]);
});

function leads(page: string, target: string): boolean {
  return existsSync(new URL(target, new URL(page, `file://${process.cwd()}/`)));
}
