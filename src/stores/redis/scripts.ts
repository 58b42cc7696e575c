import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** A Lua script and the name under which Redis remembers it. */
export interface Script {
  readonly name: string;
  readonly text: string;
  readonly sha: string;
}

const commit = scriptOf("commit", textOf("commit") + textOf("commit-write"));

/** One script for each operation that must not be torn. */
export const scripts = {
  announce: scriptOf("announce"),
  claim: scriptOf("claim"),
  clock: scriptOf("clock"),
  commit,
  count: scriptOf("count"),
  due: scriptOf("due"),
  handled: scriptOf("handled"),
  history: scriptOf("history"),
  inbox: scriptOf("inbox"),
  letters: scriptOf("letters"),
  list: scriptOf("list"),
  open: scriptOf("open"),
  postpone: scriptOf("postpone"),
  renew: scriptOf("renew"),
  /** A commit that is also let through at `maxmemory`. */
  settle: scriptOf("settle", commit.text.replace("#!lua", "#!lua flags=allow-oom")),
  status: scriptOf("status"),
} as const;

function scriptOf(name: string, text: string = textOf(name)): Script {
  return { name, text, sha: createHash("sha1").update(text).digest("hex") };
}

function textOf(name: string): string {
  return readFileSync(new URL(`./${name}.lua`, import.meta.url), "utf8");
}
