import { posix } from "node:path";
import * as rules from "./house-rules.ts";

/** A file of the repository: its path from the root with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly from: string;
  /** A repository path for a neighbour, a bare name for a package. */
  readonly to: string;
  readonly kind: "static" | "type" | "dynamic";
}

const house = /^(src|machines|transports|bench)\//;
const commentOrText =
  /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
const quoted = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;
const template = /`(?:\\.|[^`\\])*`/g;
const importTarget =
  /\b(?:import|export)(\s+type\b)?[^;"']*?\bfrom\s*["']([^"']+)["']|\bimport\s*["']([^"']+)["']|\bimport\s*\(\s*["']([^"']+)["']/g;

/** Every breach of the house rules in these files, one sentence each, by path; none when all is well. */
export function breaches(files: readonly SourceFile[]): string[] {
  const inside = files.filter(({ path }) => house.test(path));
  const imports = inside.flatMap(importsOf);
  const found = [
    ...files.flatMap(lengthBreaches),
    ...files.flatMap(seedBreaches),
    ...inside.flatMap(nameBreaches),
    ...inside.flatMap(exportBreaches),
    ...inside.flatMap(realityBreaches),
    ...imports.flatMap(importBreaches),
    ...cycles(imports),
  ];
  return [...new Set(found)].toSorted();
}

function importsOf({ path, text }: SourceFile): Import[] {
  return [...withoutComments(text).matchAll(importTarget)].map(
    ([, type, from = "", bare = "", dynamic = ""]) => ({
      from: path,
      to: resolved(path, from || bare || dynamic),
      kind: dynamic ? "dynamic" : type ? "type" : "static",
    }),
  );
}

function withoutComments(text: string): string {
  return text.replaceAll(commentOrText, "$1");
}

/** What runs: neither comments nor text, but what stands in `${}` within text. */
function codeOf(text: string): string {
  return withoutComments(text).replaceAll(quoted, '""').replaceAll(template, interpolations);
}

function interpolations(text: string): string {
  return (text.match(/\$\{[^}]*\}/g) ?? []).join(" ");
}

function resolved(importer: string, target: string): string {
  return target.startsWith(".") ? posix.join(posix.dirname(importer), target) : target;
}

function lengthBreaches({ path, text }: SourceFile): string[] {
  const lines = text.trimEnd().split("\n").length;
  const limit = rules.contractFiles.test(path) ? rules.contractLines : rules.fileLines;
  return lines > limit ? [`${path} has ${lines} lines; at most ${limit} are allowed`] : [];
}

/** A test that imports fast-check takes its seed from the one place where seeds are set. */
function seedBreaches(file: SourceFile): string[] {
  const { path, text } = file;
  const imported = importsOf(file).map(({ to }) => to);
  if (!path.endsWith(".test.ts") || !imported.some((to) => rules.chance.test(to))) return [];
  const code = codeOf(text);
  const isFixed = imported.includes(rules.seedFile) && rules.fixedSeed.test(code);
  if (isFixed && !rules.otherSeed.test(code)) return [];
  return [`${path} uses fast-check without the seed of ${rules.seedFile}`];
}

function nameBreaches({ path }: SourceFile): string[] {
  const inRooms = rules.rooms.filter((room) => room.files.test(path)).map((room) => room.name);
  const found: string[] = [];
  if (inRooms.length === 0) found.push(`${path} is in no room`);
  if (inRooms.length > 1) found.push(`${path} is in several rooms: ${inRooms.join(", ")}`);
  if (rules.buckets.test(path)) found.push(`${path} is named as a bucket, not as a concept`);
  return found;
}

function exportBreaches({ path, text }: SourceFile): string[] {
  const code = codeOf(text);
  const found: string[] = [];
  if (/\bexport\s*(type\s*)?\*/.test(code)) found.push(`${path} re-exports with a star`);
  if (/\bexport\s+default\b|\bas\s+default\b/.test(code))
    found.push(`${path} has a default export`);
  return found;
}

function realityBreaches({ path, text }: SourceFile): string[] {
  if (!rules.mustBeRepeatable.test(path) || rules.mayTouchReality.test(path)) return [];
  const code = codeOf(text);
  return [...code.matchAll(rules.realTimeOrChance)].map(
    ([call]) => `${path} uses ${call}; take it from a Clock or Ids`,
  );
}

function importBreaches({ from, to, kind }: Import): string[] {
  const found: string[] = [];
  const room = rules.rooms.find(({ files }) => files.test(from));
  if (room && !room.mayImport.some((allowed) => allowed.test(to))) {
    found.push(`${from} (${room.name}) imports ${to}`);
  }
  if (rules.wiringFiles.test(to) && !rules.wiringUsers.some((user) => user.test(from))) {
    found.push(`${from} leans on the wiring, ${to}`);
  }
  if (rules.wiringFiles.test(from) && rules.loadedLazily.test(to) && kind === "static") {
    found.push(`${from} loads ${to} at once; import it when it is asked for`);
  }
  if (leavesItsMachine(from, to)) found.push(`${from} imports another machine, ${to}`);
  return found;
}

function leavesItsMachine(from: string, to: string): boolean {
  const machine = /^machines\/[^/]+\//;
  const own = machine.exec(from)?.[0];
  return own !== undefined && to.startsWith("machines/") && !to.startsWith(own);
}

/** One sentence for each ring of files that import each other, types included. */
function cycles(imports: readonly Import[]): string[] {
  const targets = Map.groupBy(imports, ({ from }) => from);
  const finished = new Set<string>();
  const found: string[] = [];

  function visit(path: string, trail: readonly string[]): void {
    if (finished.has(path)) return;
    const start = trail.indexOf(path);
    if (start >= 0) {
      found.push(`${[...trail.slice(start), path].join(" -> ")} is a cycle`);
      return;
    }
    for (const { to } of targets.get(path) ?? []) visit(to, [...trail, path]);
    finished.add(path);
  }

  for (const path of targets.keys()) visit(path, []);
  return found;
}
